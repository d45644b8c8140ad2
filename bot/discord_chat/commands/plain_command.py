"""Slash commands that are declared in a line of their cog."""

from collections.abc import Awaitable, Callable
from typing import Any

from discord import app_commands

from bot.chat.events import Event
from bot.discord_chat.interactions import HasHandler, Interaction, Response, acknowledged, origin_of


def plain_command(
    name: str, description: str, answer: Callable[[Interaction], Response]
) -> app_commands.Command[Any, ..., None]:
    """The command of a cog that answers with `answer(interaction)`: an event to run, or a reply."""

    async def callback(self: HasHandler, interaction: Interaction) -> Response:
        return answer(interaction)

    return command_of(name, description, callback)


def command_of(
    name: str, description: str, callback: Callable[..., Awaitable[Response]]
) -> app_commands.Command[Any, ..., None]:
    """The command of a cog with that callback, a coroutine function whose first argument is the cog."""
    callback.__qualname__ = f"{HasHandler.__name__}.{name}"  # by which discord.py knows a method
    return app_commands.command(name=name, description=description)(acknowledged(callback))


def asks(event: type[Event], **fields: object) -> Callable[[Interaction], Event]:
    """The event of an interaction, with these fields of its own."""
    return lambda interaction: event(**origin_of(interaction), **fields)
