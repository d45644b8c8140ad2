"""The question whether an instruction was understood, before anything is painted.

It is the end of a turn: a row with an error and the reading, so it outlives a restart. An answer is an edit
of its own, with that reading, so nothing is asked twice.
"""

import re

from bot.chat.cards import is_question
from conversations.messages import Message
from conversations.session import Turn
from conversations.store.serialization import TurnFields
from conversations.variations import Variation
from mgie_engine.edits import EditResult

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


def reading_of(turn: Turn, variation: Variation) -> str | None:
    """The reading that a variation of a turn is made with; None lets the model read again."""
    if variation is Variation.OTHER_READING:
        return next(iter(turn.other_readings), turn.expressive)
    if variation is Variation.CONFIRMED or is_question(turn.error):
        return turn.reading or turn.expressive
    return turn.reading
