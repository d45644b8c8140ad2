"""A session told turn by turn, for tests: numbers and ids as the store would give them, no store."""

from dataclasses import replace

from conversations.messages import Message
from conversations.session import EditSession, Head
from conversations.turn import Turn, TurnState


class Story:
    """Keeps `session`, the latest value, while things happen to it."""

    def __init__(self, owner: str) -> None:
        upload = Turn("t0", "s", 0, None, owner, state=TurnState.DONE, image="0" * 64)
        self.session = EditSession("s", "room", owner, {"t0": upload}, {owner: Head("t0")})

    def version(self, number: int) -> Turn:
        return self.session.version(number)

    def ask(self, person: str, instruction: str, parent: int | None = None) -> Turn:
        """A waiting turn, from the head or from a version."""
        parent_id = None if parent is None else self.version(parent).id
        draft = self.session.ask(person, instruction, parent=parent_id)
        number = len(self.session.turns)
        turn = Turn(f"t{number}", "s", number, draft.parent_id, person, instruction)
        self.session = self.session.add(turn)
        return turn

    def edit(self, person: str, instruction: str, parent: int | None = None) -> Turn:
        """A turn asked and done."""
        return self.give(self.ask(person, instruction, parent), TurnState.DONE)

    def vary(self, person: str, varied: Turn) -> Turn:
        """A variation of a turn, asked and done."""
        asked = self.ask(person, varied.instruction, self.session.turns[varied.parent_id or ""].number)
        return self.give(self._update(replace(asked, varied_id=varied.id)), TurnState.DONE)

    def give(self, turn: Turn, state: TurnState) -> Turn:
        """The turn with its picture, in that state."""
        expressive = f"{turn.instruction}, understood"
        return self._update(replace(turn, state=state, image=f"{turn.number:064x}", expressive=expressive))

    def lose(self, turn: Turn) -> Turn:
        """The turn failed."""
        return self._update(replace(turn, state=TurnState.FAILED, error=Message("failed")))

    def _update(self, turn: Turn) -> Turn:
        self.session = self.session.update(turn)
        return turn
