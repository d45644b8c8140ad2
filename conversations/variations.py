"""Repeating an edit: again, stronger, subtler, corrected, from the original; and what that sets. Pure."""

import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from enum import StrEnum

from conversations.settings import RANGES, SettingsOverride
from conversations.turn import Turn

STRONGER_TEXT, STRONGER_IMAGE = 1.5, -0.2  # one press of Stronger; Subtler is the reverse
STRONGER_DEGREE = 1.4  # the same for a change of tone, as a factor
_EXCEPT, _AND, _JUST = "except ", "and ", "just "
_LIMITED = re.compile(r" just (?=(?:the|my|his|her|its|their|this|that|these|those|all) )")
_SENTENCE_END, _STAYS = re.compile(r"(?<=\.)\s+"), re.compile(r"\bstays?\b")
VARIED_IMAGE_MAX = 5.0  # the least is 1, below which the picture pushes the other way, unless it was lower


class Variation(StrEnum):
    """How to repeat a turn; always from its parent, so pressing five times does not chain five edits."""

    AGAIN = "again"  # a new seed
    STRONGER = "stronger"  # same seed, more text guidance, a little less picture guidance
    SUBTLER = "subtler"
    CORRECTED = "corrected"  # same seed, the `reading` of the user instead of the model's own
    CONFIRMED = "confirmed"  # the edit that the bot asked about, as it was understood
    OTHER_READING = "other_reading"  # the same, as it was understood in the second place
    AMENDED = "amended"  # same seed, and words added: "except the red", "just the sky"
    FROM_ORIGINAL = "from_original"  # all instructions up to here as one edit of the uploaded image


def varied_override(
    turn: Turn, variation: Variation, seed: int, *, is_slight: bool = False
) -> SettingsOverride:
    """The override for a variation of `turn`; `seed` is a new one; `is_slight`: half a step."""
    if variation is Variation.FROM_ORIGINAL:
        return turn.override
    if variation is Variation.AGAIN or turn.settings is None:
        return replace(turn.override, seed=seed)
    used = turn.settings
    if variation in (Variation.CONFIRMED, Variation.OTHER_READING, Variation.AMENDED):
        return replace(turn.override, seed=used.seed)
    if variation is Variation.CORRECTED:
        return SettingsOverride(**asdict(used))
    step = (0.5 if is_slight else 1.0) * (1 if variation is Variation.STRONGER else -1)
    low, high = RANGES["text_cfg"]
    return replace(
        turn.override,
        text_cfg=_within(used.text_cfg + step * STRONGER_TEXT, low, high),
        image_cfg=_within(used.image_cfg + step * STRONGER_IMAGE, min(1.0, used.image_cfg), VARIED_IMAGE_MAX),
        steps=used.steps,
        seed=used.seed,
        sampler=used.sampler,
        degree=_within(used.degree * STRONGER_DEGREE**step, *RANGES["degree"]),
    )


def varied_id(turn: Turn) -> str | None:
    """What a variation of `turn` was shown after: `turn`; for a grid, which is no version, what it varies."""
    return turn.id if turn.grid is None else turn.varied_id


def varied_words(path: Sequence[Turn], variation: Variation, amendment: str = "") -> str:
    """The instruction of a variation of the last turn of a path from the upload.

    `amendment`: with AMENDED, what is added to it.
    """
    match variation:
        case Variation.FROM_ORIGINAL:
            return combined_words(path)
        case Variation.AMENDED if amendment:
            words, added = _words_to_amend(path[-1]).strip().rstrip(".!;,"), amendment
            if added.startswith(_JUST):  # one limit takes the place of another
                words = _LIMITED.split(words)[0]
            is_second = added.startswith(_EXCEPT) and f" {_EXCEPT}" in words
            return f"{words} {added.replace(_EXCEPT, _AND, 1) if is_second else added}"
    return path[-1].instruction


def _words_to_amend(turn: Turn) -> str:
    """What an amendment is added to: the instruction, or what a reading says that was given in its place.

    Words that were amended before stay, since they and their reading say the same.
    """
    given = None if _is_amended(turn.instruction) else turn.reading
    return _changes_in(given or "") or turn.instruction


def _is_amended(words: str) -> bool:
    return f" {_EXCEPT}" in words or bool(_LIMITED.search(words))


def _changes_in(reading: str) -> str:
    """What changes by a reading, as words: "The sky gets darker. The rest stays." → "the sky gets darker"."""
    said = [sentence.rstrip(".") for sentence in _SENTENCE_END.split(reading.strip())]
    return " and ".join(words[0].lower() + words[1:] for words in said if words and not _STAYS.search(words))


def may_amend(instruction: str, amendment: str) -> bool:
    """Whether it can be added to the instruction: "and the blue" only to what was amended before."""
    return not amendment.startswith(_AND) or _is_amended(instruction)


def combined_words(path: Sequence[Turn]) -> str:
    """Every instruction on a path from the upload, as one."""
    said = [turn.instruction.strip().rstrip(".!;,") for turn in path[1:]]
    return ", ".join(words for number, words in enumerate(said) if words not in said[:number])


def _within(value: float, low: float, high: float) -> float:
    return round(min(max(value, low), high), 3)
