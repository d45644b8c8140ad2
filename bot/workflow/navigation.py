"""Moving through the versions and looking at them: undo, redo, go to, start over, new, history, show."""

from bot.chat.cards import card_of
from bot.chat.events import HistoryAsked, Move, MoveAsked, ShowAsked
from bot.chat.replies import History, Note, Reply, Say, ShownVersion
from bot.workflow.targets import Context, Target
from conversations.session import EditSession
from conversations.store.session_store import SessionStore


async def move(store: SessionStore, now: float, context: Context[MoveAsked]) -> Reply:
    """Move the user's head as asked and show where it stands; raises SessionError when there is no way."""
    asked, target = context.event, context.target
    if asked.move is Move.NEW:
        await store.users.clear_head(asked.person, asked.channel)
        return Note(Say.NEW_SESSION())
    if target is None:
        return Note(Say.NO_SESSION())
    moved = _moved(asked, target)
    await store.set_head(moved.id, asked.person, moved.heads[asked.person])
    head = moved.head_of(asked.person)
    sentence = Say.NOW_AT if asked.move in (Move.REDO, Move.GO_TO) else Say.BACK_AT
    return ShownVersion(sentence(version=head.label), card_of(head, moved))


async def history(context: Context[HistoryAsked]) -> Reply:
    """Every version of the session meant, oldest first."""
    session, user = context.session, context.event.person
    if session is None:
        return Note(Say.NO_SESSION())
    head = session.head_of(user).id if session.has_head(user) else None
    cards = tuple(card_of(turn, session) for turn in session.turns.values())
    return History(Say.VERSIONS(count=len(cards)), cards, head)


async def show(context: Context[ShowAsked]) -> Reply:
    """One version again, for everybody to see."""
    target = context.target
    if target is None:
        return Note(Say.NO_SESSION())
    return ShownVersion(target.turn.label, card_of(target.turn, target.session), private=False)


def _moved(asked: MoveAsked, target: Target) -> EditSession:
    session, user = target.session, asked.person
    match asked.move:
        case Move.UNDO if target.is_named:
            return session.go_to(user, target.turn).undo(user)
        case Move.UNDO:
            return session.undo(user)
        case Move.REDO:
            return session.redo(user)
        case Move.START_OVER:
            return session.reset(user)
        case _:
            return session.go_to(user, target.turn)
