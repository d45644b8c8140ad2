"""The question whether an instruction was understood, before anything is painted.

It is the end of a turn: a row with an error and the reading, so it outlives a restart. An answer is an edit
of its own, with that reading, so nothing is asked twice.
"""

import re
from dataclasses import replace

from bot.chat.cards import is_answer, is_question
from bot.chat.events import Event, GridAsked, VariationAsked
from conversations.messages import Message
from conversations.session import EditSession
from conversations.store.serialization import TurnFields
from conversations.store.session_store import SessionStore
from conversations.turn import Turn
from conversations.variations import Variation
from mgie_engine.edits import EditResult

DEGREES = (Variation.STRONGER, Variation.SUBTLER)
_SAID_TWICE = re.compile(r"\b(\w+(?: \w+)+) and \1\b")  # "gets warmer and gets warmer"


def question_fields(result: EditResult) -> TurnFields:
    """How a turn ends whose reading is asked about."""
    region = result.region
    question = Message("asks_whole", region=region) if region else Message("asks_unsure")
    return {
        "error": question,
        "expressive": result.expressive,
        "confidence": result.confidence,
        "other_readings": tuple(text for text in result.other_readings if not _SAID_TWICE.search(text)),
    }


def has_result(session: EditSession, turn: Turn, user: str) -> bool:
    """Whether `turn` is a result that its user can reject: no upload, and not behind an answer of the bot."""
    head = session.heads.get(user)
    last = turn if head is None else session.turn(head.turn_id)
    is_answered = last.is_lost and turn.id in (last.id, session.nearest_alive(last).id)
    return not (turn.is_upload or turn.is_lost or is_answered)


def varied_of(event: Event, requested: Turn, session: EditSession) -> Turn:
    """What is varied where nothing is named: the edit `requested` last.

    Of a question, stronger and subtler mean the result shown before it, if there is one; anything else is an
    answer to it.
    """
    is_degree = isinstance(event, VariationAsked) and event.variation in DEGREES
    before = session.nearest_alive(requested)
    return before if is_question(requested.error) and is_degree and not before.is_upload else requested


async def about_question(
    store: SessionStore, event: VariationAsked | GridAsked, question: Turn | None
) -> VariationAsked | GridAsked:
    """The same about what an open `question` leaves to vary; a page names the version that it shows."""
    if question is None or question.id == event.turn:
        return event
    return replace(event, turn=varied_of(event, question, await store.session(question.session_id)).id)


async def was_requested(store: SessionStore, message: str) -> bool:
    """Whether a message (a key) asked for an edit; not if an answer of the bot to it is the last word.

    Who rewords a message then says it differently.
    """
    turn = await store.requested_by(message)
    if turn is None or not is_answer(turn.error):
        return turn is not None
    head = (await store.session(turn.session_id)).heads.get(turn.user)
    return head is None or head.turn_id != turn.id
