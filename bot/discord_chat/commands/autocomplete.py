"""Autocomplete for versions."""

from dataclasses import replace

from discord import app_commands

from bot.chat.events import HistoryAsked
from bot.chat.replies import History
from bot.discord_chat.interactions import Interaction, InteractionHandler, lookup_of

MOST, CHARS = 25, 100


async def suggest_versions(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """The versions in this channel that match the typed text, newest first; called by discord.py."""
    handler: InteractionHandler = interaction.client.handler
    asked = HistoryAsked(**lookup_of(interaction))
    if asked.start is not None:  # this comes with every key, so nothing is fetched for it
        asked = replace(asked, start=replace(asked.start, find=_nothing))
    reply = await handler.workflow.handle(asked)
    if not isinstance(reply, History):
        return []
    named = [
        (f"{card.version} {card.instruction}".strip(), card.version)
        for card in reversed(reply.cards)
        if card.after and not card.grid
    ]
    wanted = typed.casefold().strip()
    return [
        app_commands.Choice(name=name[:CHARS], value=version)
        for name, version in named
        if wanted in name.casefold()
    ][:MOST]


async def _nothing() -> None:
    """No pictures."""
