"""/privacy: what is kept about me, to have it, to erase it, and who may edit my pictures."""

from typing import Literal

from discord import app_commands
from discord.ext import commands

from bot.chat.events import ConsentAsked, ExportAsked, ForgetAsked, PrivacyAsked
from bot.discord_chat.interaction_context import Interaction, InteractionHandler, origin_of
from conversations.store.user_data import Consent

ANSWERS = {"everybody": Consent.ALWAYS, "nobody": Consent.NEVER, "who asks": None}
HEADROOM = 64 * 1024  # bytes of a request that are not the file


class PrivacyCog(commands.GroupCog, name="privacy", description="What I keep about you, and who may edit"):
    """View, export, delete, consent."""

    def __init__(self, handler: InteractionHandler) -> None:
        self.handler = handler
        super().__init__()

    @app_commands.command(name="view", description="What I keep about you, and for how long")
    async def view(self, interaction: Interaction) -> None:
        """How much is kept."""
        if await self.handler.acknowledge(interaction):
            await self.handler.respond(interaction, PrivacyAsked(**origin_of(interaction)))

    @app_commands.command(name="export", description="Everything of yours as a zip: pictures, words, stories")
    async def export(self, interaction: Interaction) -> None:
        """Everything, as files."""
        if await self.handler.acknowledge(interaction):
            limit = interaction.filesize_limit - HEADROOM
            await self.handler.respond(interaction, ExportAsked(**origin_of(interaction), max_bytes=limit))

    @app_commands.command(name="delete", description="Erase everything of yours, for good; asks once more")
    async def delete(self, interaction: Interaction) -> None:
        """Says what would go, with a button that does it."""
        if await self.handler.acknowledge(interaction):
            await self.handler.respond(interaction, ForgetAsked(**origin_of(interaction)))

    @app_commands.command(name="consent", description="Who may edit your pictures")
    @app_commands.describe(who="Everybody, nobody, or whoever asks and is allowed")
    async def consent(
        self, interaction: Interaction, who: Literal["everybody", "nobody", "who asks"]
    ) -> None:
        """From now on."""
        if await self.handler.acknowledge(interaction):
            await self.handler.respond(
                interaction, ConsentAsked(**origin_of(interaction), everybody=ANSWERS[who])
            )
