"""/help, /info and /queue."""

from discord import app_commands
from discord.ext import commands

from bot.chat.events import CancelAsked, HelpAsked, InfoAsked, QueueAsked
from bot.discord_chat.interaction_context import Interaction, InteractionHandler, origin_of


class AboutCog(commands.Cog):
    """What the bot is, what it can do, and how busy it is."""

    def __init__(self, handler: InteractionHandler) -> None:
        self.handler = handler

    @app_commands.command(name="help", description="How to edit pictures by talking")
    async def help(self, interaction: Interaction) -> None:
        """A short guide."""
        if await self.handler.acknowledge(interaction):
            await self.handler.respond(interaction, HelpAsked(**origin_of(interaction)))

    @app_commands.command(name="info", description="Which model answers, its licence, and the limits")
    async def info(self, interaction: Interaction) -> None:
        """Model, licence, limits."""
        if await self.handler.acknowledge(interaction):
            await self.handler.respond(interaction, InfoAsked(**origin_of(interaction)))

    @app_commands.command(name="queue", description="My edits that wait or run")
    async def queue(self, interaction: Interaction) -> None:
        """Where my edits stand."""
        if await self.handler.acknowledge(interaction):
            await self.handler.respond(interaction, QueueAsked(**origin_of(interaction)))

    @app_commands.command(name="cancel", description="Stop my newest edit here")
    async def cancel(self, interaction: Interaction) -> None:
        """Stop what waits or runs."""
        if await self.handler.acknowledge(interaction):
            await self.handler.respond(interaction, CancelAsked(**origin_of(interaction)))
