"""The reading that a variation of an edit is made with, by one rule for every way of asking."""

from conversations.turn import Turn
from conversations.variations import Variation
from mgie_engine.text.amended_reading import amended_reading


def varied_reading(
    turn: Turn, variation: Variation, amendment: str = "", *, is_question: bool = False
) -> str | None:
    """The reading that is known without the model; None lets it read the words.

    `amendment`: with AMENDED, what is added. `is_question`: the turn ended with the question whether it was
    understood.
    """
    match variation:
        case Variation.AMENDED:
            return amended_reading(turn.expressive or turn.reading or "", amendment)
        case Variation.FROM_ORIGINAL:  # its words are others
            return None
        case Variation.OTHER_READING:
            return next(iter(turn.other_readings), turn.expressive)
        case Variation.CONFIRMED:
            return turn.reading or turn.expressive
    return turn.reading or (turn.expressive if is_question else None)
