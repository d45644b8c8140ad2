"""From a turn to its card: pure functions, the same for every chat."""

from bot.events import Act
from bot.replies import BUTTON_LABELS, Button, Card, CardState, Say, seconds_in_words
from conversations.session import EditSession, Turn, TurnState
from mgie_engine.edits import Progress, Stage
from mgie_engine.serving.job import Place

DEEP = 4  # edits in a row from which detail is likely to have softened

_BUTTONS: dict[CardState, tuple[Act, ...]] = {
    CardState.QUEUED: (Act.CANCEL,),
    CardState.RUNNING: (Act.CANCEL,),
    CardState.DONE: (Act.REFINE, Act.UNDO, Act.RETRY, Act.SUBTLER, Act.STRONGER),
    CardState.FAILED: (Act.RETRY,),
    CardState.CANCELLED: (Act.RETRY,),
}
_SHARE_READING, _SHARE_PAINTING = 0.15, 0.75  # of the bar; a guess that holds for every model so far


def card_of(
    turn: Turn, session: EditSession, place: Place | None = None, progress: Progress | None = None
) -> Card:
    """The card of a turn as it stands; `place` and `progress` are known while it waits and runs."""
    if turn.is_upload:
        return _upload_card(turn)
    parent = session.parent_of(turn)
    assert parent is not None
    state = state_of(turn)
    return Card(
        turn_id=turn.id,
        version=turn.label,
        title=f"{turn.label} · from {parent.label}",
        owner=turn.owner,
        state=state,
        instruction=turn.instruction,
        expressive=turn.expressive or (progress.expressive if progress else None),
        before=parent.image,
        after=turn.image,
        parent=parent.id,
        parent_key=parent.delivered,
        status=_status(turn, parent, place, progress),
        wait_s=place.wait_s if place and state is CardState.QUEUED else None,
        fraction=_fraction(progress) if state is CardState.RUNNING else float(state is CardState.DONE),
        preview=progress.preview if progress else None,
        facts=_facts(turn) if state is CardState.DONE else "",
        notes=_notes(turn, parent, len(session.path_to(turn)) - 1),
        buttons=tuple(Button(act, BUTTON_LABELS[act]) for act in _BUTTONS[state]),
    )


def state_of(turn: Turn) -> CardState:
    """What a person is told: a turn whose end is known is over, shown or not."""
    if turn.state is TurnState.WAITING:
        return CardState.QUEUED
    if turn.state is TurnState.RUNNING:
        return CardState.RUNNING
    if not turn.is_lost:
        return CardState.DONE
    return CardState.CANCELLED if turn.error is None else CardState.FAILED


def _upload_card(turn: Turn) -> Card:
    return Card(
        turn_id=turn.id,
        version=turn.label,
        title=turn.label,
        owner=turn.owner,
        state=CardState.DONE,
        after=turn.image,
        fraction=1.0,
        notes=turn.notes,
        buttons=(Button(Act.REFINE, BUTTON_LABELS[Act.REFINE]),),
    )


def _status(turn: Turn, parent: Turn, place: Place | None, progress: Progress | None) -> str:
    """The one line that says how it goes."""
    match state_of(turn):
        case CardState.QUEUED if parent.image is None:
            return Say.WAITS_FOR(parent=parent.label)
        case CardState.QUEUED if place and place.position:
            line = Say.PLACE(place=place.position, total=place.of)
            wait = "" if place.wait_s is None else Say.WAIT(seconds=seconds_in_words(place.wait_s))
            return " · ".join(part for part in (line, wait) if part)
        case CardState.RUNNING:
            return stage_in_words(progress)
        case CardState.FAILED:
            return turn.error or Say.FAILED()
        case CardState.CANCELLED:
            return Say.CANCELLED()
        case _:
            return ""


def stage_in_words(progress: Progress | None) -> str:
    """ "reading the picture…", "step 12/50", "finishing"."""
    if progress is None or progress.stage is Stage.READING:
        return Say.READING()
    if progress.stage is Stage.PAINTING:
        return Say.PAINTING(step=progress.step, steps=progress.steps)
    return Say.FINISHING()


def _fraction(progress: Progress | None) -> float:
    """How full the bar is, 0 to 1; never falls while an edit moves on."""
    if progress is None or progress.stage is Stage.READING:
        return 0.0
    if progress.stage is Stage.PAINTING:
        return _SHARE_READING + _SHARE_PAINTING * progress.step / max(1, progress.steps)
    return _SHARE_READING + _SHARE_PAINTING


def _facts(turn: Turn) -> str:
    """Settings used and what came of them, on one line."""
    facts = []
    if used := turn.settings:
        facts += [f"text {used.text_cfg:g}", f"image {used.image_cfg:g}"]
        facts += [f"{used.steps} steps", f"seed {used.seed}"]
    if turn.seconds:
        facts.append(f"{sum(turn.seconds.values()):.1f} s")
    if turn.changed is not None:
        facts.append(f"{turn.changed:.0%} changed".replace("%", " %"))
    return " · ".join([*facts, turn.id])


def _notes(turn: Turn, parent: Turn, depth: int) -> tuple[str, ...]:
    """Sentences worth showing: about the upload on the first edit of it, about depth from the fourth on."""
    notes = turn.notes
    if parent.is_upload and turn.number == 1:
        notes = parent.notes + notes
    if depth >= DEEP and state_of(turn) is CardState.DONE:
        notes = (*notes, Say.DEEP(depth=depth))
    return notes
