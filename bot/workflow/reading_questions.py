"""The question whether an instruction was understood, before anything is painted.

It is the end of a turn: a row with an error and the reading, so it outlives a restart. An answer is an edit
of its own, with that reading, so nothing is asked twice.
"""

from dataclasses import replace

from bot.chat.cards import is_answer, is_question
from bot.chat.events import EditAsked, Event, VariationAsked, origin
from bot.chat.replies import Reacted, Reply
from conversations.errors import NoSuchVersion
from conversations.intents.intent import sort_text
from conversations.intents.sorted_text import YesNo
from conversations.messages import Message
from conversations.session import EditSession, Turn
from conversations.settings import EditSettings
from conversations.store.serialization import TurnFields
from conversations.store.session_store import SessionStore
from conversations.variations import Variation
from mgie_engine.edits import EditResult


def question_fields(result: EditResult) -> TurnFields:
    """How a turn ends whose reading is asked about."""
    region = result.region
    question = Message("asks_whole", region=region) if region else Message("asks_unsure")
    return {
        "error": question,
        "expressive": result.expressive,
        "confidence": result.confidence,
        "other_readings": result.other_readings,
    }


def reading_of(turn: Turn, variation: Variation) -> str | None:
    """The reading that a variation of a turn is made with; None lets the model read again."""
    if variation is Variation.OTHER_READING:
        return next(iter(turn.other_readings), turn.expressive)
    if variation is Variation.CONFIRMED or is_question(turn.error):
        return turn.reading or turn.expressive
    return turn.reading


def asks_once(settings: EditSettings, turn: Turn, session: EditSession) -> EditSettings:
    """The settings of a turn; who says again what was asked about means it, and a grid shows what it does."""
    said = turn.instruction.strip().casefold()
    was_asked = any(
        is_question(other.error) and (other.user, other.parent_id) == (turn.user, turn.parent_id)
        and other.instruction.strip().casefold() == said
        for other in session.turns.values()
    )  # fmt: skip
    return replace(settings, ask="off") if was_asked or turn.grid else settings


def version_meant(session: EditSession, turn: Turn) -> Turn:
    """The version to go on from: an answer of the bot is none, so the one that it was asked about."""
    return session.nearest_alive(turn) if is_answer(turn.error) else turn


async def answered(store: SessionStore, asked: EditAsked, language: str) -> Event | Reply:
    """What yes and no stand for, said about such a question or right after one; else the same event."""
    if asked.question is not None or asked.own is not None or not asked.text.strip():
        return asked
    said = asked.said or sort_text(asked.text, language)
    turn = None if said.answer is None else await _question_before(store, asked)
    if turn is None:
        return asked
    if said.answer is YesNo.NO:
        return Reacted(Message("no_instruction"))
    return VariationAsked(**origin(asked), turn=turn.id, variation=Variation.CONFIRMED)


async def _question_before(store: SessionStore, asked: EditAsked) -> Turn | None:
    """The question that a bare answer is about: the one replied to, else what the user asked for last."""
    try:
        if asked.turn is not None:
            turn = await store.turn(asked.turn)
        elif asked.reply_to is not None:
            return None
        elif (session := await store.session_for_channel(asked.channel, asked.user)) is not None:
            head = session.heads.get(asked.user)
            turn = session.turn(head.turn_id) if head else session.root
        else:
            return None
    except NoSuchVersion:
        return None
    return turn if is_question(turn.error) else None
