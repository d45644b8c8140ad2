"""Which picture an event is about, for every event of every chat. The first of these that is given and found:

1. the pictures that the message or command itself brings
2. the version that a button, a form or the message replied to shows; else the pictures of that message
3. the version that is named ("v2")
4. in a thread: the user's current version there, else the version or pictures that the thread hangs on
5. the user's current version in this channel
6. a picture that the user posted here a moment ago without words

Otherwise the bot asks. A text may also say that it is about another picture than 3 to 5.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from bot.chat.cards import is_answer
from bot.chat.events import (
    Addressing,
    CancelAsked,
    EditAsked,
    Event,
    GridAsked,
    Implied,
    VariationAsked,
    VersionEvent,
)
from bot.chat.offered_pictures import OfferedPictures, PictureOffer
from bot.chat.replies import AskTarget, ImageChoice, Reply
from bot.policy.limits import Limits
from bot.workflow.named_cells import cell_named
from bot.workflow.other_pictures import for_another
from bot.workflow.reading_questions import about_question, has_result, varied_of
from bot.workflow.talk_references import amended, answered, question_before
from bot.workflow.text_commands import is_bare_answer, read_text, version_number
from conversations.errors import MadeElsewhere, NoSuchVersion, PictureRefused
from conversations.intents.intent import sort_text
from conversations.intents.sorted_text import LATEST, CommandWord, SortedText
from conversations.messages import Message, verbatim
from conversations.servers import ServerSettings
from conversations.session import EditSession
from conversations.store.session_store import SessionStore
from conversations.turn import Turn

CHOICES = 3
LOOKED_THROUGH = 10  # of the newest sessions of a channel

Questioned = Callable[[EditAsked], Awaitable[EditAsked]]
E_co = TypeVar("E_co", bound=Event, covariant=True)


@dataclass(frozen=True, slots=True)
class Target:
    """The version that an event is about, and its session.

    is_named  the event says which version it means; else it is the version that `Event.implied` asks for
    undone    the versions that an edit undoes first, newest first
    """

    session: EditSession
    turn: Turn
    is_named: bool = True
    undone: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class Context(Generic[E_co]):
    """What a handler gets: the event, its target, and the settings of its server.

    pictures  instead of a version: what a new session begins with
    """

    event: E_co
    settings: ServerSettings
    target: Target | None = None
    pictures: OfferedPictures | None = None

    @property
    def session(self) -> EditSession | None:
        """The session of the target."""
        return None if self.target is None else self.target.session


async def find_target(
    store: SessionStore, event: Event, now: float, limits: Limits
) -> Target | OfferedPictures | None:
    """The version or pictures that an event is about; None when it names nothing and implies nothing.

    NoSuchVersion for a named version that does not exist or belongs to another channel; PictureRefused for a
    picture that the bot cannot see.
    """
    found = await _found(store, event, now, limits)
    if isinstance(event, EditAsked) and isinstance(found, Target) and event.steps_back:
        first = event.said.first if event.said else None
        is_rejection = first is not None and first.word is CommandWord.REJECT
        if is_rejection and not has_result(found.session, found.turn, event.user):
            return found
        return _stepped_back(found, event.steps_back)
    return found


def _stepped_back(target: Target, steps: int) -> Target:
    """The version so many steps before, at most the upload."""
    session = target.session
    last = turn = session.nearest_alive(version_meant(session, target.turn))
    for _ in range(steps):
        turn = session.nearest_alive(session.before(turn) or session.root)
    return replace(target, turn=turn, undone=session.shown_after(turn, last))


async def _found(
    store: SessionStore, event: Event, now: float, limits: Limits
) -> Target | OfferedPictures | None:
    if not isinstance(event, VersionEvent):
        return None
    if isinstance(event, EditAsked) and event.own is not None:
        return await _pictures(store, event, event.own)
    if named := await pointed_at(store, event):
        return named
    if isinstance(event, EditAsked) and event.replied is not None and (found := await event.replied.find()):
        return found
    if isinstance(event, EditAsked) and event.is_elsewhere:
        return None
    if event.version is not None:
        return await named_version(store, event, event.version)
    if event.implied is not Implied.NONE and (here := await _in_thread(store, event)):
        return here
    implied = await _implied(store, event, now, limits)
    if implied is None and isinstance(event, EditAsked) and event.recent is not None:
        return await _pictures(store, event, event.recent)
    return implied


async def with_replied_version(store: SessionStore, asked: EditAsked) -> EditAsked:
    """The same, naming the version that the message replied to shows: a question about the text keeps it."""
    if asked.turn is not None or asked.reply_to is None:
        return asked
    shown = await store.find_by_message(asked.reply_to)
    return asked if shown is None else replace(asked, turn=shown.id)


async def _pictures(
    store: SessionStore, event: EditAsked, offer: PictureOffer
) -> Target | OfferedPictures | None:
    """What is offered; the user's version of it if there is one, as after a message was edited."""
    known = await store.find_by_message(offer.message) if offer.message else None
    if known is not None and known.is_upload and known.user == event.user:
        return await target_of(store, event, known.id)
    return await offer.find()


async def pointed_at(store: SessionStore, event: VersionEvent) -> Target | None:
    """The version that the gesture points at: by a button, or by a reply; MadeElsewhere for a shared copy."""
    try:
        if event.turn is not None:
            return await target_of(store, event, event.turn)
        shown = await _shown_by_message(store, event)
        return None if shown is None else await target_of(store, event, shown.id)
    except NoSuchVersion as error:
        shown = await _shown_by_message(store, event)
        if shown is None:
            raise
        session = await store.session(shown.session_id)
        raise MadeElsewhere(shown.label, verbatim(f"<#{session.channel}>")) from error


async def _shown_by_message(store: SessionStore, event: VersionEvent) -> Turn | None:
    return None if event.reply_to is None else await store.find_by_message(event.reply_to)


async def _in_thread(store: SessionStore, event: VersionEvent) -> Target | OfferedPictures | None:
    """In a thread, until the user has a current version there: what the thread hangs on."""
    if event.start is None:
        return None
    if (current := await current_version(store, event)) and event.implied is Implied.RECENT:
        return current  # a thread is about one picture, so it stays current for as long as the thread
    if current:
        return None
    return await (_thread_start if isinstance(event, EditAsked) else _thread_version)(store, event)


async def _thread_start(store: SessionStore, event: Event) -> Target | OfferedPictures | None:
    """The version that the thread hangs on, else the pictures.

    A result may be spoken of before the bot has recorded that it posted it: then its message names it.
    """
    assert event.start is not None
    known = await store.find_by_message(event.start.message) if event.start.message else None
    if known is not None:
        return await target_of(store, event, known.id)
    found = await event.start.find()
    return await target_of(store, event, found.shows) if found and found.shows else found


async def _thread_version(store: SessionStore, event: Event) -> Target | None:
    """The version that the thread hangs on, if it does; for events that no picture would help."""
    with suppress(PictureRefused):
        start = await _thread_start(store, event) if event.start else None
        return start if isinstance(start, Target) else None
    return None


async def _implied(store: SessionStore, event: VersionEvent, now: float, limits: Limits) -> Target | None:
    match event.implied:
        case Implied.NONE:
            return None
        case Implied.SESSION:
            session = await session_here(store, replace(event, start=None))  # which was asked before
            if session is None:
                return None
            return Target(session, session.head_of(event.user), is_named=False)
    current = await current_version(store, event)
    if current is None or event.implied is Implied.CURRENT:
        return current
    head = current.session.heads[event.user]
    if event.implied is Implied.REQUESTED:
        requested = current.session.turn(head.turn_id)
        return replace(current, turn=varied_of(event, requested, current.session))
    last_s = max(head.moved_at, current.turn.finished_at or 0.0)
    return current if now - last_s < limits.head_ttl_s else None


async def named_version(
    store: SessionStore, event: Event, version: str, session: EditSession | None = None
) -> Target:
    """The version of that number ("v2"), LATEST, or that of a turn id ("k3f9"); NoSuchVersion without one.

    Numbers and LATEST refer to `session`, else to the user's in this channel, else to the newest shown here.
    """
    number, is_latest = version_number(version), version.strip().lower() == LATEST
    if number is None and not is_latest:
        return await target_of(store, event, version.strip().lower())
    session = session or await session_here(store, event)
    if session is None:
        raise NoSuchVersion(version)
    return Target(session, session.latest if number is None else session.version(number))


async def session_here(store: SessionStore, event: Event) -> EditSession | None:
    """The user's session in this channel, else the newest one shown here.

    In a thread, else that of the version it hangs on, else that of the channel it belongs to.
    """
    session = await store.session_for_channel(event.channel, event.user)
    if session is not None and _was_shown(session, event.user):
        return session
    if shown := await _shown_here(store, event):
        return shown[0]
    if start := await _thread_version(store, event):
        return start.session
    parent = event.source.parent_channel
    if parent is None:
        return None
    above = replace(event, channel=parent, source=replace(event.source, parent_channel=None), start=None)
    return await session_here(store, above)


async def _shown_here(store: SessionStore, event: Event) -> list[EditSession]:
    newest = await store.sessions_in(event.channel, LOOKED_THROUGH)
    return [session for session in newest if _was_shown(session, event.user)]


def _was_shown(session: EditSession, user: str) -> bool:
    """Whether the user can have seen an image of the session: their own, or one posted for all.

    Private answers are for the asker alone.
    """
    if session.owner == user or session.has_head(user):
        return True
    turns = session.turns.values()
    return any(turn.shown_in and turn.image and not turn.source.is_private for turn in turns)


async def target_of(store: SessionStore, event: Event, turn_id: str) -> Target:
    """The turn of that id; NoSuchVersion unless it belongs to the channel the event comes from.

    The versions of a channel also belong to its threads. A private answer is for its user and the owner of
    the session alone.

    Only users' own turns may be cancelled from another channel: the list of their edits names them all. The
    rights of a moderator end with the channel.
    """
    turn = await store.turn(turn_id)
    session = await store.session(turn.session_id)
    is_own_cancel = isinstance(event, CancelAsked) and turn.user == event.user
    is_here = session.channel in (event.channel, event.source.parent_channel)
    is_shown = not turn.source.is_private or event.user in (turn.user, session.owner)
    if not (is_here and is_shown) and not is_own_cancel:
        raise NoSuchVersion(turn_id)
    return Target(session, session.turn(turn_id))


async def current_version(store: SessionStore, event: Event) -> Target | None:
    """The user's current version in this channel, however old."""
    session = await store.current_session(event.channel, event.user)
    return None if session is None else Target(session, session.head_of(event.user), is_named=False)


async def ask_target(store: SessionStore, event: EditAsked) -> AskTarget:
    """The question, with the newest pictures of the channel to choose from."""
    sessions = await _shown_here(store, event)
    choices = tuple(_choice(session, event.user) for session in sessions[:CHOICES])
    return AskTarget(Message("which_picture"), event.text, choices)


def _choice(session: EditSession, user: str) -> ImageChoice:
    turn = session.head_of(user)
    while turn.image is None:
        turn = session.parent_of(turn) or session.root
    return ImageChoice(turn.id, turn.label, turn.image, turn.instruction, turn.is_hidden)


def version_meant(session: EditSession, turn: Turn) -> Turn:
    """The version to go on from: an answer of the bot is none, so the one that it was asked about."""
    return session.nearest_alive(turn) if is_answer(turn.error) else turn


async def read_asked(
    store: SessionStore, with_question: Questioned, asked: EditAsked, language: str, languages: Sequence[str]
) -> Event | Reply:
    """What a text stands for, if it answers a question of the bot or not; `languages`: of the model."""
    asked = await with_replied_version(store, asked)
    if is_bare_answer(asked, language):
        asked = await with_question(asked)
    said = _said(asked, language)
    read: Event | Reply = asked
    is_alone = asked.question is None and asked.own is None  # so it may be about what was asked for last
    if said and said.answer and is_alone:
        read = await answered(store, asked, said.answer)
    if not isinstance(read, EditAsked):
        return read
    event = read_text(read, language, languages)
    may_pick = not isinstance(event, EditAsked) or (said is not None and said.place is not None)
    if may_pick and (picked := await cell_named(store, read, said, event)):
        return picked
    if isinstance(event, VariationAsked | GridAsked) and asked.turn and not asked.reply_to:
        return await about_question(store, event, await question_before(store, asked))
    if said and said.amendment and is_alone:
        return await amended(store, read, said.amendment) or event
    return (said and said.other and await for_another(store, read, said.other)) or event


def _said(asked: EditAsked, language: str) -> SortedText | None:
    """What the text asks for; None for one that can be nothing but an instruction, or is none."""
    if asked.reading or asked.addressing is Addressing.VERBATIM or not asked.text.strip():
        return None
    return asked.said or sort_text(asked.text, language)
