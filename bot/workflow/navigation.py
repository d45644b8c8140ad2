"""Moving through the versions and looking at them: undo, redo, go to, start over, new, history, show."""

from bot.chat.cards import card_of
from bot.chat.events import Event, HistoryAsked, Move, MoveAsked, ShowAsked
from bot.chat.replies import History, Note, Reply, Say, ShownVersion
from bot.workflow.targets import Target, current_version, forget_head, named_version, session_here, target_of
from conversations.session import EditSession
from conversations.store.session_store import SessionStore


async def move(store: SessionStore, asked: MoveAsked, now: float) -> Reply:
    """Move the person's head as asked and show where it stands; raises SessionError when there is no way."""
    if asked.move is Move.NEW:
        await forget_head(store, asked, now)
        return Note(Say.NEW_SESSION())
    base = await _target(store, asked)
    if base is None:
        return Note(Say.NO_SESSION())
    if asked.move is Move.UNDO and asked.turn is not None and base.turn.user != asked.person:
        return Note(Say.NOT_YOURS(version=base.turn.label))
    moved = _moved(base, asked)
    await store.set_head(moved.id, asked.person, moved.heads[asked.person])
    head = moved.head_of(asked.person)
    sentence = Say.NOW_AT if asked.move in (Move.REDO, Move.GO_TO) else Say.BACK_AT
    return ShownVersion(sentence(version=head.label), card_of(head, moved))


async def history(store: SessionStore, asked: HistoryAsked) -> Reply:
    """Every version of the session of the named turn, else of mine here, else of the newest one here."""
    session = (
        await session_here(store, asked)
        if asked.turn is None
        else (await target_of(store, asked, asked.turn)).session
    )
    if session is None:
        return Note(Say.NO_SESSION())
    head = session.head_of(asked.person).id if session.has_head(asked.person) else None
    cards = tuple(card_of(turn, session) for turn in session.turns.values())
    return History(Say.VERSIONS(count=len(cards)), cards, head)


async def show(store: SessionStore, asked: ShowAsked) -> Reply:
    """One version again, for everybody to see."""
    base = await _base(store, asked, asked.turn, asked.version)
    if base is None:
        return Note(Say.NO_SESSION())
    return ShownVersion(base.turn.label, card_of(base.turn, base.session), private=False)


async def _target(store: SessionStore, asked: MoveAsked) -> Target | None:
    if asked.move in (Move.UNDO, Move.GO_TO):
        return await _base(store, asked, asked.turn, asked.version)
    return await current_version(store, asked)


async def _base(store: SessionStore, asked: Event, turn: str | None, version: str | None) -> Target | None:
    if turn is not None:
        return await target_of(store, asked, turn)
    if version is not None:
        return await named_version(store, asked, version)
    return await current_version(store, asked)


def _moved(base: Target, asked: MoveAsked) -> EditSession:
    match asked.move:
        case Move.UNDO if asked.turn is not None:
            return base.session.go_to(asked.person, base.turn).undo(asked.person)
        case Move.UNDO:
            return base.session.undo(asked.person)
        case Move.REDO:
            return base.session.redo(asked.person)
        case Move.START_OVER:
            return base.session.reset(asked.person)
        case _:
            return base.session.go_to(asked.person, base.turn)
