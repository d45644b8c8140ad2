"""One uploaded image, the tree of versions made from it, and the current version of each user.

Pure values and functions: nothing here knows a clock, a database or a chat. A move returns a new session, or
a `TurnDraft` that the store numbers, dates and saves.

Invariants:
- A user's head moves to a new turn when the turn is requested, not when it is done. So a second request
  builds on the first one while that is still running.
- A variation has the parent of what it varies, but is shown after that: undo leads there (see `before`).
- A head never points at a failed or cancelled turn: it is read as the nearest one before that is neither.
- The redo stack is a path along that way from the head. Moving back (undo, reset, go to a version on it)
  extends it. Any move off the path (a new turn, go to another branch) clears it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile

from conversations.errors import NoSuchVersion, NothingToRedo, NothingToUndo, VersionHasNoPicture
from conversations.messages import Message
from conversations.request_source import NO_SOURCE, RequestSource
from conversations.settings import NO_OVERRIDE, EditSettings, SettingsOverride
from conversations.turn import Turn, TurnDraft, TurnState


@dataclass(frozen=True, slots=True)
class Head:
    """The current version of one user in a session."""

    turn_id: str
    redo: tuple[str, ...] = ()  # turn ids; redo returns to the last one first
    moved_at: float = 0.0  # Unix seconds, set by the store
    channel: str | None = None  # where the user moved there: the session's channel, or a thread of it


@dataclass(frozen=True, slots=True)
class EditSession:
    """One uploaded image in one channel, and everything made from it."""

    id: str
    channel: str  # opaque, e.g. "discord:123"
    owner: str
    turns: Mapping[str, Turn] = field(default_factory=dict)  # by id, in the order of asking
    heads: Mapping[str, Head] = field(default_factory=dict)  # by user
    override: SettingsOverride = NO_OVERRIDE  # settings for the whole session
    created_at: float = 0.0
    is_locked: bool = False  # only the owner may edit its versions, unless the owner consents
    thread: str | None = None  # key of the thread that its first result opened

    # -- looking ------------------------------------------------------------------------------------------

    @property
    def root(self) -> Turn:
        """The uploaded image, v0."""
        return next(turn for turn in self.turns.values() if turn.is_upload)

    def turn(self, turn_id: str) -> Turn:
        """The turn of that id. Raises NoSuchVersion if this session has none."""
        if turn_id not in self.turns:
            raise NoSuchVersion(turn_id)
        return self.turns[turn_id]

    @property
    def latest(self) -> Turn:
        """The last version that has an image; the upload always had one."""
        pictures = (turn for turn in self.turns.values() if turn.image and turn.grid is None)
        return max(pictures, key=lambda turn: turn.number, default=self.root)

    def version(self, number: int) -> Turn:
        """The turn shown as v<number>. Raises NoSuchVersion if there is none."""
        for turn in self.turns.values():
            if turn.number == number:
                return turn
        raise NoSuchVersion(f"v{number}")

    def parent_of(self, turn: Turn) -> Turn | None:
        """The turn it was made from; None for the upload."""
        return self.turns[turn.parent_id] if turn.parent_id is not None else None

    def before(self, turn: Turn) -> Turn | None:
        """The version shown before it: the one that it varies, else its parent; None for the upload."""
        return self.turns.get(turn.varied_id or "") or self.parent_of(turn)

    def children_of(self, turn: Turn) -> tuple[Turn, ...]:
        """The turns made from it, by number."""
        return tuple(other for other in self.turns.values() if other.parent_id == turn.id)

    def path_to(self, turn: Turn) -> tuple[Turn, ...]:
        """The turns from the upload to this one, both included."""
        above = [self.turn(turn.id)]  # the session's own copy: the value passed in may be outdated
        while parent := self.parent_of(above[-1]):
            above.append(parent)
        return tuple(reversed(above))

    def exchanges_before(self, turn: Turn) -> tuple[tuple[str, str], ...]:
        """(instruction, expressive instruction) of every ancestor that has both, oldest first."""
        return tuple(
            (earlier.instruction, earlier.expressive)
            for earlier in self.path_to(turn)[:-1]
            if earlier.expressive is not None
        )

    def has_head(self, user: str) -> bool:
        """Whether this user ever requested an edit or moved in this session."""
        return user in self.heads

    def head_of(self, user: str) -> Turn:
        """The version that the next edit of this user builds on.

        A user without a head gets the head of the session's owner, else the last version with an image. The
        turn may still be waiting or running; it is never failed or cancelled.
        """
        head = self.heads.get(user) or self.heads.get(self.owner)
        if head is None:
            return self.latest
        return self.nearest_alive(self.turn(head.turn_id))

    def nearest_alive(self, turn: Turn) -> Turn:
        """This turn, or the nearest one before that neither failed nor was cancelled."""
        return next(earlier for earlier in self._backwards(turn) if not earlier.is_lost)

    def shown_after(self, earlier: Turn, last: Turn) -> tuple[Turn, ...]:
        """The versions on the way back from `last` to `earlier`, that one excluded, newest first."""
        return tuple(takewhile(lambda turn: turn.id != earlier.id, self._backwards(last)))

    def is_ready(self, turn: Turn) -> bool:
        """Whether a waiting turn can run: its parent has an image."""
        parent = self.parent_of(turn)
        return turn.state is TurnState.WAITING and parent is not None and parent.image is not None

    # -- moves --------------------------------------------------------------------------------------------

    def ask(
        self,
        user: str,
        instruction: str,
        *,
        parent: str | None = None,
        reading: str | None = None,
        override: SettingsOverride = NO_OVERRIDE,
        settings: EditSettings | None = None,
        source: RequestSource = NO_SOURCE,
        mask: str | None = None,
    ) -> TurnDraft:
        """A new turn from the user's head, or from the turn with the id `parent` (a reply, a branch).

        The parent may still be waiting or running; the new turn then waits for it. Raises
        VersionHasNoPicture for a failed or cancelled parent, NoSuchVersion for an unknown id.
        """
        base = self.head_of(user) if parent is None else self._alive(self.turn(parent))
        return TurnDraft(self.id, base.id, user, instruction, reading, override, settings, source, mask=mask)

    def add(self, turn: Turn) -> "EditSession":
        """The session with a saved turn added; its user's head moves there their redo stack is cleared."""
        grown = replace(self, turns={**self.turns, turn.id: turn})
        if turn.grid is not None:
            return grown
        head = Head(turn.id, moved_at=turn.created_at, channel=turn.source.channel)
        return grown._with_head(turn.user, head)

    def update(self, turn: Turn) -> "EditSession":
        """The session with one of its turns replaced by a later state of that turn."""
        self.turn(turn.id)
        return replace(self, turns={**self.turns, turn.id: turn})

    def undo(self, user: str) -> "EditSession":
        """Move to the version shown before; redo leads back. Raises NothingToUndo at the upload."""
        before = self.before(self.head_of(user))
        if before is None:
            raise NothingToUndo
        return self._go_back(user, self.nearest_alive(before))

    def redo(self, user: str) -> "EditSession":
        """Move one step down the redo stack. Raises NothingToRedo if it is empty."""
        alive = self.redoable(user)
        if not alive:
            raise NothingToRedo
        return self._with_head(user, Head(alive[-1], alive[:-1]))

    def redoable(self, user: str) -> tuple[str, ...]:
        """The turns to which redo leads, the next one last."""
        head = self.heads.get(user, Head(""))
        return tuple(turn_id for turn_id in head.redo if not self.turn(turn_id).is_lost)

    def go_to(self, user: str, turn: Turn) -> "EditSession":
        """Move to any version. Raises VersionHasNoPicture for one that failed or was cancelled."""
        self._alive(self.turn(turn.id))
        if any(turn.id == earlier.id for earlier in self._backwards(self.head_of(user))):
            return self._go_back(user, turn)
        return self._with_head(user, Head(turn.id))

    def reset(self, user: str) -> "EditSession":
        """Move to the uploaded image. Nothing is deleted, and redo leads back."""
        return self._go_back(user, self.root)

    # -- inside -------------------------------------------------------------------------------------------

    def _backwards(self, turn: Turn) -> Iterator[Turn]:
        earlier: Turn | None = self.turn(turn.id)
        while earlier is not None:
            yield earlier
            earlier = self.before(earlier)

    def _alive(self, turn: Turn) -> Turn:
        if turn.grid is not None:
            parent = self.turns[turn.parent_id or ""].label
            message = Message("no_picture_grid", version=turn.label, nearest=parent)
            raise VersionHasNoPicture(turn.label, message, parent)
        if turn.is_lost:
            nearest = self.nearest_alive(turn).label
            said = {"version": turn.label, "nearest": nearest}
            if turn.state is TurnState.FAILED or turn.error is not None:
                raise VersionHasNoPicture(turn.label, Message("no_picture_failed", **said), nearest)
            raise VersionHasNoPicture(turn.label, Message("no_picture_cancelled", **said), nearest)
        return turn

    def _go_back(self, user: str, target: Turn) -> "EditSession":
        """Move to a version before the head, and put the versions passed on the redo stack."""
        passed = self.shown_after(target, self.head_of(user))
        redo = self.heads.get(user, Head("")).redo
        kept = [turn.id for turn in passed if not turn.is_lost]
        return self._with_head(user, Head(target.id, (*redo, *kept)))

    def _with_head(self, user: str, head: Head) -> "EditSession":
        return replace(self, heads={**self.heads, user: head})
