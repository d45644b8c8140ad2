"""From a control word to the event it stands for."""

from bot.chat.events import (
    CancelAsked,
    CompareAsked,
    EditAsked,
    Event,
    HelpAsked,
    HistoryAsked,
    Move,
    MoveAsked,
    Variation,
    VariationAsked,
    origin,
)
from bot.workflow.text_commands import Control, Word

_MOVES = {
    Word.UNDO: Move.UNDO,
    Word.REDO: Move.REDO,
    Word.START_OVER: Move.START_OVER,
    Word.GO_TO: Move.GO_TO,
}
_VARIATIONS = {
    Word.AGAIN: Variation.AGAIN,
    Word.STRONGER: Variation.STRONGER,
    Word.SUBTLER: Variation.SUBTLER,
    Word.FROM_ORIGINAL: Variation.FROM_ORIGINAL,
}


def steer(asked: EditAsked, said: Control, turn: str | None) -> Event:
    """What `said` means where `asked` was said; `turn` is the version it replied to, if any."""
    who = origin(asked)
    if move := _MOVES.get(said.word):
        target = None if said.version else turn
        return MoveAsked(**who, move=move, turn=target, version=said.version)
    if variation := _VARIATIONS.get(said.word):
        return VariationAsked(**who, variation=variation, turn=turn)
    match said.word:
        case Word.COMPARE:
            return CompareAsked(**who, turn=turn, other=said.version)
        case Word.STOP:
            return CancelAsked(**who, turn=turn)
        case Word.HISTORY:
            return HistoryAsked(**who)
        case _:
            return HelpAsked(**who)
