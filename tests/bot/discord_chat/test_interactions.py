"""Every command and menu entry is acknowledged, or opens its form, in the one place that does so."""

from collections.abc import Iterator
from typing import Any

import pytest
from discord import app_commands

from bot.discord_chat.commands import COGS, message_menus
from bot.discord_chat.interactions import acknowledged


def entries() -> Iterator[tuple[str, Any]]:
    """Every slash command and menu entry, by name, with its callback."""
    handler: Any = None  # nothing is run
    for cog in COGS:
        for command in cog(handler).walk_app_commands():
            if isinstance(command, app_commands.Command):
                yield command.qualified_name, command.callback
    components: Any = type("Components", (), {"handler": None})()
    yield from ((menu.name, menu.callback) for menu in message_menus(components))


@pytest.mark.parametrize(("name", "callback"), list(entries()), ids=[name for name, _ in entries()])
def test_it_is_decorated(name: str, callback: Any) -> None:
    # The wrapper of a decorator keeps the globals of its own module.
    function = getattr(callback, "__func__", callback)
    assert function.__globals__["__name__"] == acknowledged.__module__, name
