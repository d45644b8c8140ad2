"""/session: move through the versions of the picture in this channel."""

from discord import app_commands
from discord.ext import commands

from bot.chat.events import CompareAsked, HistoryAsked, LockAsked, Move, MoveAsked
from bot.discord_chat.commands.autocomplete import suggest_versions
from bot.discord_chat.interaction_context import Interaction, InteractionHandler, origin_of


class SessionCog(commands.GroupCog, name="session", description="The versions of the picture here"):
    """Undo, redo, go to, start over, begin anew, and the list of versions."""

    def __init__(self, handler: InteractionHandler) -> None:
        self.handler = handler
        super().__init__()

    async def _move(self, interaction: Interaction, move: Move, version: str | None = None) -> None:
        if await self.handler.acknowledge(interaction):
            await self.handler.respond(
                interaction, MoveAsked(**origin_of(interaction), move=move, version=version)
            )

    @app_commands.command(name="new", description="Forget the picture here; the next words need a new one")
    async def new(self, interaction: Interaction) -> None:
        """Begin anew."""
        await self._move(interaction, Move.NEW)

    @app_commands.command(name="undo", description="Back to the version before")
    async def undo(self, interaction: Interaction) -> None:
        """One version up."""
        await self._move(interaction, Move.UNDO)

    @app_commands.command(name="redo", description="Forward again after an undo")
    async def redo(self, interaction: Interaction) -> None:
        """One version down the way that was undone."""
        await self._move(interaction, Move.REDO)

    @app_commands.command(name="original", description="Back to the picture this began with")
    async def original(self, interaction: Interaction) -> None:
        """All the way up."""
        await self._move(interaction, Move.START_OVER)

    @app_commands.command(name="goto", description="Go on from a version")
    @app_commands.describe(version="For example: v2")
    @app_commands.autocomplete(version=suggest_versions)
    async def goto(self, interaction: Interaction, version: app_commands.Range[str, 1, 10]) -> None:
        """To any version."""
        await self._move(interaction, Move.GO_TO, version)

    @app_commands.command(name="compare", description="Two versions side by side, and where they differ")
    @app_commands.describe(
        version="For example: v2; without one, your own last version",
        other="The version to compare it with; without one, the version it was made from",
    )
    @app_commands.rename(other="with")
    @app_commands.autocomplete(version=suggest_versions, other=suggest_versions)
    async def compare(
        self,
        interaction: Interaction,
        version: app_commands.Range[str, 1, 10] | None = None,
        other: app_commands.Range[str, 1, 10] | None = None,
    ) -> None:
        """Before, after, and a map of the changes."""
        if await self.handler.acknowledge(interaction):
            await self.handler.respond(
                interaction, CompareAsked(**origin_of(interaction), version=version, other=other)
            )

    @app_commands.command(name="lock", description="Only you go on from your picture; others have to ask")
    async def lock(self, interaction: Interaction) -> None:
        """Close my session."""
        await self._lock(interaction, is_locked=True)

    @app_commands.command(name="share", description="Everybody here may go on from your picture")
    async def share(self, interaction: Interaction) -> None:
        """Open my session."""
        await self._lock(interaction, is_locked=False)

    async def _lock(self, interaction: Interaction, *, is_locked: bool) -> None:
        if await self.handler.acknowledge(interaction):
            await self.handler.respond(interaction, LockAsked(**origin_of(interaction), is_locked=is_locked))

    @app_commands.command(name="history", description="All versions of the picture here")
    async def history(self, interaction: Interaction) -> None:
        """The list of versions."""
        if await self.handler.acknowledge(interaction):
            await self.handler.respond(interaction, HistoryAsked(**origin_of(interaction)))
