"""/session: navigate the versions of the image in this channel."""

from discord import app_commands
from discord.ext import commands

from bot.chat.events import CompareAsked, HistoryAsked, LockAsked, Move, MoveAsked
from bot.chat.session_events import DeleteSessionAsked
from bot.discord_chat.commands.autocomplete import suggest_versions
from bot.discord_chat.commands.plain_command import asks, plain_command
from bot.discord_chat.interactions import HasHandler, Interaction, Response, acknowledged, origin_of


class SessionCog(
    HasHandler, commands.GroupCog, name="session", description="The versions of the picture here"
):
    """Navigate, compare, list and lock versions."""

    new = plain_command(
        "new", "Start a new session; the next instruction needs a new picture", asks(MoveAsked, move=Move.NEW)
    )
    undo = plain_command("undo", "Go back to the previous version", asks(MoveAsked, move=Move.UNDO))
    redo = plain_command("redo", "Redo the version that was undone", asks(MoveAsked, move=Move.REDO))
    original = plain_command(
        "original", "Go back to the uploaded picture", asks(MoveAsked, move=Move.START_OVER)
    )

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

    lock = plain_command(
        "lock",
        "Lock the session: others must ask before they edit its versions",
        asks(LockAsked, is_locked=True),
    )
    share = plain_command(
        "share", "Share the session: everyone here can edit its versions", asks(LockAsked, is_locked=False)
    )
    delete = plain_command(
        "delete", "Delete the picture here with everything made from it", asks(DeleteSessionAsked)
    )
    history = plain_command("history", "All versions of the picture here", asks(HistoryAsked))
