"""/privacy: view, export and delete a user's data, and decide who may edit their images."""

from typing import Literal

from discord import app_commands
from discord.ext import commands

from bot.chat.events import ConsentAsked, ExportAsked, ForgetAsked, PrivacyAsked
from bot.discord_chat.commands.plain_command import asks, plain_command
from bot.discord_chat.interactions import HasHandler, Interaction, Response, acknowledged, origin_of
from conversations.store.user_data import Consent

ANSWERS = {"everybody": Consent.ALWAYS, "nobody": Consent.NEVER, "who asks": None}
HEADROOM = 64 * 1024  # bytes of a request beside the file


class PrivacyCog(
    HasHandler,
    commands.GroupCog,
    name="privacy",
    description="Your stored data, and who may edit your pictures",
):
    """View, export, delete, consent."""

    view = plain_command("view", "Which data is stored about you, and for how long", asks(PrivacyAsked))

    @app_commands.command(
        name="export", description="Download your data as zip files: pictures, instructions, animations"
    )
    @acknowledged
    async def export(self, interaction: Interaction) -> Response:
        """Send all data as zip files."""
        limit = interaction.filesize_limit - HEADROOM
        return ExportAsked(**origin_of(interaction), max_bytes=limit)

    delete = plain_command(
        "delete", "Delete all your data permanently, after a confirmation", asks(ForgetAsked)
    )

    @app_commands.command(name="consent", description="Who may edit your pictures")
    @app_commands.describe(who="Everyone, nobody, or users you allow when they ask")
    @acknowledged
    async def consent(
        self, interaction: Interaction, who: Literal["everybody", "nobody", "who asks"]
    ) -> Response:
        """Set who may edit the user's images."""
        return ConsentAsked(**origin_of(interaction), everybody=ANSWERS[who])
