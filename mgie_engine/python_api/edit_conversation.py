"""Refining a picture by talking: `editor.conversation("garden.jpg")`, then "make it winter", "undo that"."""

from typing import TYPE_CHECKING, Unpack

from conversations.images.diff_image import DiffImage
from conversations.variations import Variation
from mgie_engine.python_api.edit_requests import EditOptions, OnProgress
from mgie_engine.python_api.version_tree import PlannedEdit, Version, VersionTree

if TYPE_CHECKING:
    from mgie_engine.python_api.async_editor import AsyncEditor
    from mgie_engine.python_api.editor import Editor


class PictureConversation:
    """The versions of a picture, and moves between them that need no model.

    A move returns the version that is current then, from which the next edit starts.
    """

    def __init__(self, tree: VersionTree) -> None:
        self._tree = tree

    @property
    def current(self) -> Version:
        """The version that the next edit starts from."""
        return self._tree.current

    @property
    def versions(self) -> tuple[Version, ...]:
        """Every version, oldest first; the first is the picture that the conversation began with."""
        return self._tree.versions

    def version(self, number: int) -> Version:
        """The version of that number; NoSuchVersion."""
        return self._tree.version(number)

    def undo(self, steps: int = 1) -> Version:
        """Move to the version before, at most to the first; NothingToUndo there."""
        return self._tree.undo(steps)

    def redo(self) -> Version:
        """Return to the version that was undone last; NothingToRedo."""
        return self._tree.redo()

    def go_to(self, number: int) -> Version:
        """Move to any version; NoSuchVersion."""
        return self._tree.go_to(number)

    def start_over(self) -> Version:
        """Move to the first version; `redo` leads back."""
        return self._tree.start_over()

    def compare(self, before: int | None = None, after: int | None = None) -> DiffImage:
        """Where two versions differ: a picture (WebP), and the share of pixels that changed.

        Without numbers, the current version and the one it was made from. NoSuchVersion, RequestRefused.
        """
        return self._tree.compare(before, after)


class EditConversation(PictureConversation):
    """A conversation with an Editor. What cannot be done raises, and leaves the versions as they were."""

    def __init__(self, tree: VersionTree, editor: "Editor") -> None:
        super().__init__(tree)
        self._editor = editor

    def say(
        self, text: str, *, progress: OnProgress | None = None, **options: Unpack[EditOptions]
    ) -> Version:
        """Do what a text asks for: an edit ("now the roof too"), or a move.

        Moves are undo, redo, back to v2, start over, again, stronger, subtler and from the original, in the
        many ways in which people say them in English, German and Spanish. RequestRefused for a text that
        asks for neither; else raises what `edit` does.
        """
        return self._carry_out(self._tree.understand(text, options), progress)

    def edit(
        self,
        instruction: str,
        *,
        reading: str | None = None,
        progress: OnProgress | None = None,
        **options: Unpack[EditOptions],
    ) -> Version:
        """Edit the current version, whatever the words look like; see `Editor.edit`."""
        return self._carry_out(self._tree.plan(instruction, options, reading=reading), progress)

    def vary(self, variation: Variation | str, *, progress: OnProgress | None = None) -> Version:
        """Run the last edit once more: "again", "stronger", "subtler" or "from_original".

        RequestRefused at the first version.
        """
        return self._carry_out(self._tree.plan_variation(Variation(variation)), progress)

    def _carry_out(self, step: PlannedEdit | Version, progress: OnProgress | None) -> Version:
        if isinstance(step, Version):
            return step
        return self._tree.add(step, self._editor.run(step.request, progress))


class AsyncEditConversation(PictureConversation):
    """The same with an AsyncEditor: `say`, `edit` and `vary` are awaited, one after another."""

    def __init__(self, tree: VersionTree, editor: "AsyncEditor") -> None:
        super().__init__(tree)
        self._editor = editor

    async def say(
        self, text: str, *, progress: OnProgress | None = None, **options: Unpack[EditOptions]
    ) -> Version:
        """As `EditConversation.say`."""
        return await self._carry_out(self._tree.understand(text, options), progress)

    async def edit(
        self,
        instruction: str,
        *,
        reading: str | None = None,
        progress: OnProgress | None = None,
        **options: Unpack[EditOptions],
    ) -> Version:
        """As `EditConversation.edit`."""
        return await self._carry_out(self._tree.plan(instruction, options, reading=reading), progress)

    async def vary(self, variation: Variation | str, *, progress: OnProgress | None = None) -> Version:
        """As `EditConversation.vary`."""
        return await self._carry_out(self._tree.plan_variation(Variation(variation)), progress)

    async def _carry_out(self, step: PlannedEdit | Version, progress: OnProgress | None) -> Version:
        if isinstance(step, Version):
            return step
        return self._tree.add(step, await self._editor.run(step.request, progress))
