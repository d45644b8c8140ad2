"""/edit: begin with a picture, or refine."""

from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_chat.desk import Desk, Interaction, origin_of
from bot.discord_chat.errors import DownloadRefused
from bot.events import EditAsked
from bot.replies import Note
from conversations.settings import Keep, SettingsWish


class EditingCog(commands.Cog):
    """Commands that make pictures."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    @app_commands.command(name="edit", description="Edit a picture, or refine the last one")
    @app_commands.describe(
        instruction="What to change, for example: make the sky darker",
        image="A picture to begin with; without one I go on from your last version here",
        from_version="The version to go on from, for example: v2",
        keep="How much of the picture stays untouched where nothing was asked to change",
    )
    @app_commands.rename(from_version="from")
    async def edit(
        self,
        interaction: Interaction,
        instruction: app_commands.Range[str, 1, 400],
        image: discord.Attachment | None = None,
        from_version: app_commands.Range[str, 1, 10] | None = None,
        keep: Literal["auto", "strict", "off"] | None = None,
    ) -> None:
        """Acknowledge, fetch the picture while its address is good, then ask."""
        if not await self.desk.acknowledge(interaction):
            return
        try:
            picture = await self.desk.downloads.fetch(image.url, image.size) if image else None
        except DownloadRefused as refusal:
            await self.desk.answer(interaction, Note(str(refusal)))
            return
        await self.desk.ask(interaction, edit_event(interaction, instruction, picture, from_version, keep))


def edit_event(
    interaction: Interaction,
    instruction: str,
    picture: bytes | None,
    from_version: str | None,
    keep: Keep | None,
) -> EditAsked:
    """What /edit asks."""
    return EditAsked(
        **origin_of(interaction),
        text=instruction,
        picture=picture,
        from_version=from_version,
        wish=SettingsWish(keep=keep),
    )
