"""/session: navigate the versions of the image in this channel."""

from discord import app_commands
from discord.ext import commands

from bot.chat.events import CompareAsked, HistoryAsked, LockAsked, Move, MoveAsked
from bot.discord_chat.commands.autocomplete import suggest_versions
from bot.discord_chat.interactions import HasHandler, Interaction, Response, acknowledged, origin_of


class SessionCog(
    HasHandler, commands.GroupCog, name="session", description="The versions of the picture here"
):
    """Navigate, compare, list and lock versions."""

    @app_commands.command(
        name="new", description="Start a new session; the next instruction needs a new picture"
    )
    @acknowledged
    async def new(self, interaction: Interaction) -> Response:
        """Leave the session."""
        return MoveAsked(**origin_of(interaction), move=Move.NEW)

    @app_commands.command(name="undo", description="Go back to the previous version")
    @acknowledged
    async def undo(self, interaction: Interaction) -> Response:
        """Go to the parent version."""
        return MoveAsked(**origin_of(interaction), move=Move.UNDO)

    @app_commands.command(name="redo", description="Redo the version that was undone")
    @acknowledged
    async def redo(self, interaction: Interaction) -> Response:
        """Go forward again after an undo."""
        return MoveAsked(**origin_of(interaction), move=Move.REDO)

    @app_commands.command(name="original", description="Go back to the uploaded picture")
    @acknowledged
    async def original(self, interaction: Interaction) -> Response:
        """Go to the uploaded image."""
        return MoveAsked(**origin_of(interaction), move=Move.START_OVER)

    @app_commands.command(name="goto", description="Continue from a version")
    @app_commands.describe(version="For example: v2")
    @app_commands.autocomplete(version=suggest_versions)
    @acknowledged
    async def goto(self, interaction: Interaction, version: app_commands.Range[str, 1, 10]) -> Response:
        """Go to any version."""
        return MoveAsked(**origin_of(interaction), move=Move.GO_TO, version=version)

    @app_commands.command(name="compare", description="Two versions side by side, and where they differ")
    @app_commands.describe(
        version="For example: v2; without one, your own last version",
        other="The version to compare it with; without one, the version it was made from",
    )
    @app_commands.rename(other="with")
    @app_commands.autocomplete(version=suggest_versions, other=suggest_versions)
    @acknowledged
    async def compare(
        self,
        interaction: Interaction,
        version: app_commands.Range[str, 1, 10] | None = None,
        other: app_commands.Range[str, 1, 10] | None = None,
    ) -> Response:
        """Show two versions and a map of the changes."""
        return CompareAsked(**origin_of(interaction), version=version, other=other)

    @app_commands.command(
        name="lock", description="Lock the session: others must ask before they edit its versions"
    )
    @acknowledged
    async def lock(self, interaction: Interaction) -> Response:
        """Close the session to others."""
        return LockAsked(**origin_of(interaction), is_locked=True)

    @app_commands.command(name="share", description="Share the session: everyone here can edit its versions")
    @acknowledged
    async def share(self, interaction: Interaction) -> Response:
        """Open the session to others."""
        return LockAsked(**origin_of(interaction), is_locked=False)

    @app_commands.command(name="history", description="All versions of the picture here")
    @acknowledged
    async def history(self, interaction: Interaction) -> Response:
        """List the versions."""
        return HistoryAsked(**origin_of(interaction))
