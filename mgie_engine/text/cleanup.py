"""Turns the language model's output into the expressive instruction that users read. Imports no torch."""

import re
import unicodedata
from itertools import takewhile

_SENTENCES = 2  # as in the published code
_ALTERNATIVE = re.compile(r"\balternative", re.IGNORECASE)
_LONGEST_WORD = 28  # letters; longer ones are runs of stray tokens


def remove_alter(text: str) -> str:
    """Cut decoded output as the published code does: two sentences, no alternatives.

    IndexError if nothing is left, as there. Its bugs are kept: sentences are joined without a blank, "2.5"
    counts as the end of one, and one letter too many stays after a capital dotted I.
    """
    if "ASSISTANT:" in text:
        text = text.split("ASSISTANT:", 1)[1].strip()
    if "</s>" in text:
        text = text.split("</s>", 1)[0].strip()
    if (alternative := text.lower().find("alternative")) >= 0:
        text = text[:alternative]
    text = text.split("[IMG0]", 1)[0]
    text = ".".join(piece.strip() for piece in text.split(".")[:2])
    return (text if text[-1] == "." else text + ".").strip()


def tidy(text: str) -> str:
    """The expressive instruction for users: at most two whole sentences, separated by blanks; "" if none."""
    spaced = re.sub(r" +(?=[.,;!?])", "", " ".join(text.split()))
    spaced = re.sub(r"(?<=[a-z])([.!?])(?=[A-Z])", r"\1 ", spaced)
    sentences = re.split(r"(?<=[.!?])\s+", spaced)
    sentences_before = list(takewhile(lambda sentence: not _ALTERNATIVE.search(sentence), sentences))
    kept = " ".join(sentences_before[:_SENTENCES]) or _ALTERNATIVE.split(spaced)[0]
    if not any(character.isalnum() for character in kept):
        return ""
    return kept if kept[-1] in ".!?" else kept.rstrip(",;:-– ") + "."


def is_gibberish(text: str) -> bool:
    """Whether a text is clearly no sentence: invalid characters, overlong words, mostly signs, or repeats."""
    words = re.findall(r"\w+", text)
    letters = sum(unicodedata.category(character)[0] in "LMN" for character in text)
    return (
        "\ufffd" in text
        or any(len(word) > _LONGEST_WORD for word in words)
        or 2 * letters < len(text.replace(" ", ""))
        or (len(words) >= 8 and 3 * len({word.lower() for word in words}) < len(words))
    )
