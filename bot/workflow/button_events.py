"""From a pressed button to the event it stands for, the same for every chat."""

from bot.chat.events import (
    Act,
    Answer,
    CancelAsked,
    CompareAsked,
    ConsentAnswered,
    DeleteAsked,
    Event,
    ForgetAsked,
    Json,
    LockAsked,
    Move,
    MoveAsked,
    Origin,
    QueueAsked,
    Variation,
    VariationAsked,
)
from bot.chat.moderation_events import AppealAsked, Rule, RuleAsked

_ANSWERS = {Act.ALLOW_ONCE: Answer.ONCE, Act.ALLOW_ALWAYS: Answer.ALWAYS, Act.REFUSE: Answer.NEVER}
_MOVES = {Act.UNDO: Move.UNDO, Act.GO_TO: Move.GO_TO}
_VARIATIONS = {
    Act.RETRY: Variation.AGAIN,
    Act.STRONGER: Variation.STRONGER,
    Act.SUBTLER: Variation.SUBTLER,
    Act.FROM_ORIGINAL: Variation.FROM_ORIGINAL,
}


def pressed(
    act: Act,
    turn: str,
    *,
    person: str,
    channel: str,
    event_id: str,
    source: Json,
    moderates: bool = False,
) -> Event:
    """The event of a pressed button; those in NEEDS_WORDS have none of their own and raise ValueError.

    `turn` is whatever the button is about: for BLOCK a person. `moderates`: whether the chat lets this person
    decide about what others asked for.
    """
    who = Origin(person=person, channel=channel, event_id=event_id, source=source)
    if act in _ANSWERS:
        return ConsentAnswered(**who, request=turn, answer=_ANSWERS[act])
    if act in _MOVES:
        return MoveAsked(**who, turn=turn, move=_MOVES[act])
    if act in _VARIATIONS:
        return VariationAsked(**who, turn=turn, variation=_VARIATIONS[act])
    match act:
        case Act.CANCEL:
            return CancelAsked(**who, turn=turn, may_cancel_others=moderates)
        case Act.DELETE:
            return DeleteAsked(**who, turn=turn, may_delete_others=moderates)
        case Act.COMPARE:
            return CompareAsked(**who, turn=turn)
        case Act.LOCK | Act.SHARE:
            return LockAsked(**who, turn=turn, is_locked=act is Act.LOCK)
        case Act.FORGET_ME:
            return ForgetAsked(**who, is_confirmed=True)
        case Act.MY_EDITS:
            return QueueAsked(**who)
        case Act.APPEAL:
            return AppealAsked(**who, about=turn)
        case Act.REMOVE | Act.BAR | Act.BLOCK | Act.DISMISS | Act.LIFT:
            return RuleAsked(**who, rule=Rule(act.value), subject=turn, may=moderates)
    raise ValueError(f"{act} needs words; ask for them first")
