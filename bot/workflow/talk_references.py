"""What a text stands for that refers to what was said or shown just before: yes, no, "but keep the red"."""

from dataclasses import replace
from typing import Any

from bot.chat.cards import is_question
from bot.chat.events import EditAsked, Event, VariationAsked, origin
from bot.chat.replies import Note, Reply
from conversations.errors import NoSuchVersion
from conversations.intents.sorted_text import YesNo
from conversations.messages import Message
from conversations.session import EditSession
from conversations.settings import NO_OVERRIDE
from conversations.store.session_store import SessionStore
from conversations.turn import Turn
from conversations.variations import Variation, may_amend

_SAID_ALONE: Any = {
    "version": None,
    "from_original": False,
    "steps_back": 0,
    "override": NO_OVERRIDE,
    "preset": None,
    "is_hidden": False,
    "results": 1,
    "mask": None,
}


async def answered(store: SessionStore, asked: EditAsked, answer: YesNo) -> Event | Reply:
    """What yes and no stand for, said about a question whether the bot understood; else the same event."""
    turn = await question_before(store, asked)
    if turn is None:
        return asked
    if answer is YesNo.NO:
        return Note(Message("say_differently"))
    return VariationAsked(**origin(asked), turn=turn.id, variation=Variation.CONFIRMED)


async def amended(store: SessionStore, asked: EditAsked, amendment: str) -> VariationAsked | None:
    """The edit before the text once more, with words added; None where there was none.

    What comes with settings, a region or a version of its own is an instruction.
    """
    if replace(asked, **_SAID_ALONE) != asked:
        return None
    named, last = await _before(store, asked)
    turn = last or named
    if turn is None or turn.is_upload or not may_amend(turn.instruction, amendment):
        return None
    return VariationAsked(
        **origin(asked), turn=turn.id, reply_to=asked.reply_to, variation=Variation.AMENDED, text=amendment
    )


async def question_before(store: SessionStore, asked: EditAsked) -> Turn | None:
    """The question that a bare answer is about: the one replied to, else what the user asked for last."""
    named, last = await _before(store, asked)
    return next((turn for turn in (named, last) if turn and is_question(turn.error)), None)


async def _before(store: SessionStore, asked: EditAsked) -> tuple[Turn | None, Turn | None]:
    """The version that the text names, and what the user asked for last, if it may be about that.

    The page always names the version that it shows, which is the one that an answer of the bot is about.
    """
    try:
        named = None if asked.turn is None else await store.turn(asked.turn)
        session = await _session_of(store, asked, named)
    except NoSuchVersion:
        return None, None
    if session is None or (head := session.heads.get(asked.user)) is None:
        return named, None
    last = session.turn(head.turn_id)
    is_about = named is None or session.nearest_alive(last).id == named.id
    return named, last if is_about else None


async def _session_of(store: SessionStore, asked: EditAsked, named: Turn | None) -> EditSession | None:
    if named is not None:
        return await store.session(named.session_id)
    return None if asked.reply_to else await store.current_session(asked.channel, asked.user)
