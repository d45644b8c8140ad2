"""Moving through versions and looking at them: undo, redo, go to, new, history, sessions, gallery, show."""

from dataclasses import replace

from bot.chat.cards import card_of, is_question
from bot.chat.events import HistoryAsked, Move, MoveAsked, ShowAsked
from bot.chat.replies import History, Note, Reply, Sessions, SessionSummary, ShownVersion
from bot.chat.session_events import GalleryAsked, SessionsAsked
from bot.ops.metrics import Metrics
from bot.workflow.reading_questions import has_result
from bot.workflow.runner import TurnRunner
from bot.workflow.targets import Context, Target, current_version, version_meant
from conversations.messages import Message, joined, verbatim
from conversations.session import EditSession
from conversations.store.session_store import SessionStore
from conversations.turn import Turn, TurnState

LISTED, SHOWN = 100, 100  # sessions in a list; newest versions in a history
IN_GALLERY, LOOKED_AT = 10, 100  # results; edits among which they are looked for


async def move(
    store: SessionStore, metrics: Metrics, runner: TurnRunner, context: Context[MoveAsked]
) -> Reply:
    """Move the user's head as asked and show where it stands; raises SessionError when there is no way.

    What is undone while it waits or runs is cancelled.
    """
    asked, target = context.event, context.target
    metrics.moves.labels(str(asked.move)).inc()
    if asked.move is Move.NEW:
        await store.users.clear_head(asked.user, asked.channel)
        return Note(Message("new_session"))
    if target is None:
        return Note(Message("no_session"))
    if asked.move is Move.REJECT and not has_result(target.session, target.turn, asked.user):
        return Note(Message("say_differently"))
    drops_question = asked.move is Move.UNDO and _has_question_alone(target, asked.user)
    moved = target.session.reset(asked.user) if drops_question else _moved(asked, target)
    moved_to = replace(moved.heads[asked.user], channel=asked.channel)
    await store.set_head(moved.id, asked.user, moved_to, asked.asked_at)
    head = moved.head_of(asked.user)
    if drops_question:
        return ShownVersion(Message("question_dropped"), card_of(head, moved))
    note = _moved_note(asked, target, head)
    if asked.move in (Move.UNDO, Move.REJECT):
        undone = target.session.shown_after(head, version_meant(target.session, target.turn))
        if stopped := await runner.cancel_undone(undone, asked.user):
            moved = await store.session(moved.id)
            note = joined(" ", *(Message("stopped", version=turn.label) for turn in stopped), note)
    return ShownVersion(note, card_of(head, moved))


def _moved_note(asked: MoveAsked, target: Target, head: Turn) -> Message:
    """What is said after a move to `head`."""
    session = target.session
    match asked.move:
        case Move.REJECT:
            return Message("what_instead", version=head.label)
        case Move.GO_TO | Move.START_OVER if (
            session.has_head(asked.user) and session.head_of(asked.user).id == head.id
        ):
            return Message("already_at", version=head.label)
        case Move.GO_TO | Move.REDO:
            return Message("now_at", version=head.label)
    return Message("back_at", version=head.label)


async def history(context: Context[HistoryAsked]) -> Reply:
    """The versions of the session meant, oldest first; of very many the upload, the newest and the user's.

    The time to draw a card grows with the versions before it.
    """
    session, user = context.session, context.event.user
    if session is None:
        return Note(Message("no_session"))
    head = session.head_of(user).id if session.has_head(user) else None
    turns = tuple(session.turns.values())
    shown = {session.root.id, head, *(turn.id for turn in turns[-SHOWN:])}
    cards = tuple(card_of(turn, session) for turn in turns if turn.id in shown)
    return History(Message("versions", count=len(turns)), cards, head, bool(session.redoable(user)))


async def my_sessions(store: SessionStore, context: Context[SessionsAsked]) -> Reply:
    """The user's sessions in this channel that still have a picture, the last used first."""
    asked = context.event
    here = await current_version(store, asked)
    sessions = await store.sessions_of(asked.user, asked.channel, LISTED)
    found = (_summary(session, asked.user, None if here is None else here.session.id) for session in sessions)
    listed = tuple(summary for summary in found if summary is not None)
    return Sessions(Message("sessions", count=len(listed)), listed)


async def gallery(store: SessionStore, context: Context[GalleryAsked]) -> Reply:
    """The user's newest results that still have a picture, from every place, for them alone."""
    turns = await store.turns_by(context.event.user, LOOKED_AT)
    done = [turn for turn in turns if turn.state is TurnState.DONE and turn.image is not None][:IN_GALLERY]
    if not done:
        return Note(Message("gallery_empty"))
    sessions = {key: await store.session(key) for key in {turn.session_id for turn in done}}
    cards = tuple(card_of(turn, sessions[turn.session_id]) for turn in reversed(done))
    return History(Message("gallery", count=len(cards)), cards, None)


def _summary(session: EditSession, user: str, here: str | None) -> SessionSummary | None:
    """None where every picture up to the user's version was deleted."""
    current = session.head_of(user)
    image = next((turn.image for turn in reversed(session.path_to(current)) if turn.image), None)
    if image is None:
        return None
    versions = sum(turn.image is not None and turn.grid is None for turn in session.turns.values())
    return SessionSummary(current.id, image, current.instruction, versions, session.id == here)


async def show(context: Context[ShowAsked]) -> Reply:
    """One version again, for everybody to see where the user may post; what was private stays private."""
    target = context.target
    if target is None:
        return Note(Message("no_session"))
    is_private = target.turn.source.is_private or not context.event.may_post
    card = card_of(target.turn, target.session)
    return ShownVersion(verbatim(target.turn.label), card, private=is_private)


def _has_question_alone(target: Target, user: str) -> bool:
    """Whether a question of the bot about the upload is all that the user could undo."""
    session, head = target.session, target.session.heads.get(user)
    is_open = head is not None and is_question(session.turn(head.turn_id).error)
    return is_open and session.head_of(user).is_upload and version_meant(session, target.turn).is_upload


def _moved(asked: MoveAsked, target: Target) -> EditSession:
    session, user = target.session, asked.user
    match asked.move:
        case Move.UNDO | Move.REJECT:
            if target.is_named:
                session = session.go_to(user, version_meant(session, target.turn))
            session = session.undo(user)
            for _ in range(asked.steps - 1):
                if session.head_of(user).is_upload:
                    break
                session = session.undo(user)
            return session
        case Move.REDO:
            return session.redo(user)
        case Move.START_OVER:
            return session.reset(user)
        case _:
            return session.go_to(user, target.turn)
