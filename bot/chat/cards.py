"""From a turn to its card: pure functions, the same for every chat."""

from bot.chat.events import ButtonAction
from bot.chat.replies import Button, Card, CardState, buttons
from conversations.messages import Message, verbatim
from conversations.session import EditSession
from conversations.settings import Grid
from conversations.turn import Turn, TurnState
from mgie_engine.edits import Progress, Stage
from mgie_engine.serving.job import Place

DEEP = 4  # edits in a row from which detail is likely to have softened

DECLINED = ("declined_as_asked", "declined_question", "declined_shape", "declined_thing", "declined")
QUESTIONS = ("asks_unsure", "asks_whole")  # whether an instruction was understood
SUGGESTED = ("make it darker", "make it warmer", "more contrast", "turn it to sepia")  # work on any picture
OFFERED = 3
UNSAFE = "unsafe"  # begins the name of a blocked upload in an appeal
_BUTTONS: dict[CardState, tuple[ButtonAction, ...]] = {
    CardState.QUEUED: (ButtonAction.CANCEL,),
    CardState.RUNNING: (ButtonAction.CANCEL,),
    CardState.DONE: (
        ButtonAction.REFINE,
        ButtonAction.UNDO,
        ButtonAction.RETRY,
        ButtonAction.SUBTLER,
        ButtonAction.STRONGER,
    ),
    CardState.FAILED: (ButtonAction.RETRY,),
    CardState.CANCELLED: (ButtonAction.RETRY,),
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
    state, depth = state_of(turn), len(session.path_to(turn)) - 1
    origin = (
        Message("from", parent=parent.label)
        if turn.grid is None
        else Message("grid_from", parent=parent.label)
    )
    return Card(
        turn_id=turn.id,
        version=turn.label,
        owner=turn.user,
        state=state,
        origin=origin,
        parent_version=parent.label,
        instruction=turn.instruction,
        expressive=turn.expressive or (progress.expressive if progress else None),
        before=parent.image,
        after=turn.image,
        parent=parent.id,
        parent_key=parent.shown_in,
        status=_status(turn, parent, place, progress),
        wait_s=place.wait_s if place and state is CardState.QUEUED else None,
        fraction=_fraction(progress) if state is CardState.RUNNING else float(state is CardState.DONE),
        preview=progress.preview if progress else None,
        facts=_facts(turn) if state is CardState.DONE else (),
        notes=_notes(turn, parent, depth),
        buttons=_buttons(turn, state, depth),
        is_answer=is_answer(turn.error),
        grid=turn.grid,
        cells=len(turn.cells),
        key=turn.shown_in,
        seed=turn.settings.seed if turn.settings and state is CardState.DONE and not turn.is_exact else None,
        is_hidden=turn.is_hidden,
        confidence=turn.confidence,
        settings=turn.settings if state is CardState.DONE else None,
        mask=turn.mask,
        is_exact=turn.is_exact,
    )


def _buttons(turn: Turn, state: CardState, depth: int) -> tuple[Button, ...]:
    if is_declined(turn.error):
        return suggestions(turn.instruction)
    if is_question(turn.error):
        return answers(turn)
    acts = _acts(turn, state, depth)
    is_choice = turn.grid is not None and state.is_final and ButtonAction.APPEAL not in acts
    return picks(turn) if is_choice else buttons(*acts)


def picks(grid: Turn) -> tuple[Button, ...]:
    """The buttons of a grid that has ended: no edit starts from it, but each cell can become a version."""
    numbers = [str(number + 1) for number in range(len(grid.cells))]
    cells = (Button(ButtonAction.PICK, verbatim(number), number) for number in numbers)
    return (*cells, *buttons(ButtonAction.DELETE))


def is_answer(error: Message | None) -> bool:
    """Whether a turn ended with an answer in the talk, and made no version."""
    return is_declined(error) or is_question(error)


def is_question(error: Message | None) -> bool:
    """Whether a turn ended with the question whether its instruction was understood."""
    return error is not None and error.code in QUESTIONS


def answers(turn: Turn) -> tuple[Button, ...]:
    """The buttons that answer that question: do it, do the other thing, say it differently."""
    others = [Button(ButtonAction.DO_OTHER, verbatim(reading)) for reading in turn.other_readings[:1]]
    return (
        *buttons(ButtonAction.DO_IT),
        *others,
        Button(ButtonAction.REFINE, Message("button.say_differently")),
    )


def is_declined(error: Message | None) -> bool:
    """Whether a turn ended because the model declined its instruction."""
    return error is not None and error.code in DECLINED


def suggestions(instruction: str = "") -> tuple[Button, ...]:
    """Buttons that send instructions which work on any picture, but not the one that was declined."""
    others = [words for words in SUGGESTED if words != instruction.strip().casefold()]
    return tuple(Button(ButtonAction.SAY, verbatim(words), words) for words in others[:OFFERED])


def state_of(turn: Turn) -> CardState:
    """The state of the card; a turn whose outcome is known is final, shown or not."""
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
        owner=turn.user,
        state=CardState.DONE,
        after=turn.image,
        fraction=1.0,
        notes=turn.notes,
        buttons=buttons(ButtonAction.REFINE),
        key=turn.shown_in,
        is_hidden=turn.is_hidden,
    )


def _status(turn: Turn, parent: Turn, place: Place | None, progress: Progress | None) -> Message | None:
    """How it goes, in one line."""
    match state_of(turn):
        case CardState.QUEUED if parent.image is None:
            return Message("waits_for", parent=parent.label)
        case CardState.QUEUED if place and place.position:
            return Message("place", place=place.position, total=place.of)
        case CardState.RUNNING:
            return stage_message(progress)
        case CardState.FAILED:
            return turn.error or Message("failed")
        case CardState.CANCELLED:
            return Message("cancelled")
        case _:
            return None


def stage_message(progress: Progress | None) -> Message:
    """ "reading the picture…", "step 12/50", "finishing"."""
    if progress is None or progress.stage is Stage.READING:
        return Message("reading")
    if progress.stage is Stage.PAINTING:
        return Message("painting", step=progress.step, steps=progress.steps)
    return Message("finishing")


def _fraction(progress: Progress | None) -> float:
    """How full the bar is, 0 to 1; never falls while an edit moves on."""
    if progress is None or progress.stage is Stage.READING:
        return 0.0
    if progress.stage is Stage.PAINTING:
        return _SHARE_READING + _SHARE_PAINTING * progress.step / max(1, progress.steps)
    return _SHARE_READING + _SHARE_PAINTING


def _facts(turn: Turn) -> tuple[Message, ...]:
    """Settings used and what came of them."""
    facts = []
    if used := turn.settings:
        grid = turn.grid or Grid()
        facts += [Message("fact_text", value=grid.text_cfg or used.text_cfg)]
        facts += [Message("fact_image", value=grid.image_cfg or used.image_cfg)]
        if not turn.is_exact:
            seeds = grid.seeds or (used.seed,)
            ends = "–".join(str(seed) for seed in dict.fromkeys((seeds[0], seeds[-1])))
            facts += [Message("fact_steps", count=used.steps), Message("fact_seed", value=ends)]
    if turn.seconds:
        facts.append(Message("fact_seconds", value=round(sum(turn.seconds.values()), 1)))
    if turn.changed is not None:
        facts.append(Message("fact_changed", value=round(100 * turn.changed)))
    if turn.mask:
        facts.append(Message("fact_region"))
    return tuple(facts)


def _acts(turn: Turn, state: CardState, depth: int) -> tuple[ButtonAction, ...]:
    if state is CardState.FAILED and (blocked_hash_of(turn.error) or is_unsafe(turn.error)):
        return (*_BUTTONS[state], ButtonAction.APPEAL)
    if state is not CardState.DONE:
        return _BUTTONS[state]
    return (*_BUTTONS[state], ButtonAction.FROM_ORIGINAL) if depth >= DEEP else _BUTTONS[state]


def blocked_hash_of(error: Message | None) -> str | None:
    """The hash of the removed picture because of which a result was filtered; None for any other error."""
    return str(error.params["hash"]) if error and error.code == "result_filtered" else None


def is_unsafe(error: Message | None) -> bool:
    """Whether a result was blocked because it looks sexual."""
    return error is not None and error.code == "unsafe_result"


def _notes(turn: Turn, parent: Turn, depth: int) -> tuple[Message, ...]:
    """What is worth showing: about the upload on the first edit of it, about depth from the fourth on."""
    notes = turn.notes
    if parent.is_upload and turn.number == 1:
        notes = parent.notes + notes
    if turn.is_reworded:
        notes = (Message("updated"), *notes)
    if depth >= DEEP and state_of(turn) is CardState.DONE:
        notes = (*notes, Message("deep", count=depth))
    return notes
