"""From a pressed button to the event it stands for, the same for every chat."""

from typing import Unpack

from bot.chat.events import (
    DECISIONS,
    Answer,
    ButtonAction,
    CancelAsked,
    CompareAsked,
    ConsentAnswered,
    DeleteAsked,
    Event,
    ForgetAsked,
    GridAsked,
    LockAsked,
    Move,
    MoveAsked,
    Origin,
    QueueAsked,
    VariationAsked,
)
from bot.chat.grid_events import CellPicked
from bot.chat.moderation_events import AppealAsked, ModAction, ModActionRequested
from bot.chat.session_events import DeleteSessionAsked
from bot.chat.sharing_events import HideAsked, ShareAsked
from bot.policy.limits import MOST_RESULTS
from conversations.variations import Variation

_ANSWERS = {
    ButtonAction.ALLOW_ONCE: Answer.ONCE,
    ButtonAction.ALLOW_ALWAYS: Answer.ALWAYS,
    ButtonAction.REFUSE: Answer.NO,
}
_MOVES = {ButtonAction.UNDO: Move.UNDO, ButtonAction.GO_TO: Move.GO_TO}
_VARIATIONS = {
    ButtonAction.RETRY: Variation.AGAIN,
    ButtonAction.STRONGER: Variation.STRONGER,
    ButtonAction.SUBTLER: Variation.SUBTLER,
    ButtonAction.FROM_ORIGINAL: Variation.FROM_ORIGINAL,
    ButtonAction.DO_IT: Variation.CONFIRMED,
    ButtonAction.DO_OTHER: Variation.OTHER_READING,
}


def button_event(act: ButtonAction, turn: str, says: str = "", **who: Unpack[Origin]) -> Event:
    """The event of a pressed button; those in NEEDS_WORDS have none of their own and raise ValueError.

    `turn`: what the button is about; for BLOCK a user. `says`: as of the button.
    """
    if act in _ANSWERS:
        return ConsentAnswered(**who, request=turn, answer=_ANSWERS[act])
    if act in _MOVES:
        return MoveAsked(**who, turn=turn, move=_MOVES[act])
    if act in _VARIATIONS:
        return VariationAsked(**who, turn=turn, variation=_VARIATIONS[act])
    if act in DECISIONS:
        return ModActionRequested(**who, action=ModAction(act.value), subject=turn)
    match act:
        case ButtonAction.CANCEL:
            return CancelAsked(**who, turn=turn)
        case ButtonAction.DELETE:
            return DeleteAsked(**who, turn=turn)
        case ButtonAction.DELETE_SESSION:
            return DeleteSessionAsked(**who, turn=turn, is_confirmed=True)
        case ButtonAction.SEEDS:
            return GridAsked(**who, turn=turn, seeds=MOST_RESULTS)
        case ButtonAction.SHOWCASE:
            return ShareAsked(**who, turn=turn)
        case ButtonAction.HIDE:
            return HideAsked(**who, turn=turn)
        case ButtonAction.PICK:
            return CellPicked(**who, turn=turn, cell=int(says or 0) - 1)
        case ButtonAction.COMPARE:
            return CompareAsked(**who, turn=turn)
        case ButtonAction.LOCK | ButtonAction.SHARE:
            return LockAsked(**who, turn=turn, is_locked=act is ButtonAction.LOCK)
        case ButtonAction.FORGET_ME:
            return ForgetAsked(**who, is_confirmed=True)
        case ButtonAction.MY_EDITS:
            return QueueAsked(**who)
        case ButtonAction.APPEAL:
            return AppealAsked(**who, about=turn)
    raise ValueError(f"{act} needs words; ask for them first")
