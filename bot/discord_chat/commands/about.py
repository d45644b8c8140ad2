"""/help, /info, /queue and /cancel."""

from discord import app_commands
from discord.ext import commands

from bot.chat.events import CancelAsked, HelpAsked, InfoAsked, QueueAsked
from bot.discord_chat.interactions import HasHandler, Interaction, Response, acknowledged, origin_of


class AboutCog(HasHandler, commands.Cog):
    """Help, model and limits, and the user's queued edits."""

    @app_commands.command(name="help", description="How to edit pictures by talking")
    @acknowledged
    async def help(self, interaction: Interaction) -> Response:
        """Show a short guide."""
        return HelpAsked(**origin_of(interaction))

    @app_commands.command(name="info", description="The model, its licence, and the limits")
    @acknowledged
    async def info(self, interaction: Interaction) -> Response:
        """Show model, licence and limits."""
        return InfoAsked(**origin_of(interaction))

    @app_commands.command(name="queue", description="Your queued and running edits")
    @acknowledged
    async def queue(self, interaction: Interaction) -> Response:
        """Show the user's queued and running edits."""
        return QueueAsked(**origin_of(interaction))

    @app_commands.command(name="cancel", description="Cancel your newest edit here")
    @acknowledged
    async def cancel(self, interaction: Interaction) -> Response:
        """Cancel the user's newest edit in this channel."""
        return CancelAsked(**origin_of(interaction))
