"""Whether an instruction is of a kind that small models misread while they are sure. Imports no torch.

Two clauses, an exception, or something taken back: such readings are asked about below a higher bound than
others (`ModelConfig.ask_below_intricate`). Numbers are not among them: on the sets that the bounds were
chosen on, a higher bound for "the two balls" asks needlessly and finds nothing more.
"""

import re
from functools import lru_cache

from conversations.intents.phrase_tables import ENGLISH, phrase_table
from conversations.intents.tagged_words import plain_word
from mgie_engine.config import ModelConfig

_CUES = re.compile(
    r"\b(?:not|don'?t|isn'?t|never|except|excepting|excluding|but|only|without|keep|leave|apart"
    r"|other than|besides|nothing|untouched|rest|alone|spare"
    r"|wait|sorry|actually|i mean|i meant|nope|oops|scratch|rather|instead|er|hmm?|no|forget|changed? my mind"
    r"|correction|or|argh|ah)\b"
)
_JOINTS = re.compile(r"[,.;:&+\n]|\s[-–—]+\s|->|\b(?:and|then|plus|also|while|n|with)\b")
_CHANGING = ("sure_verb", "weak_verb", "tone_verb", "comparative", "colour", "attribute")
_CHANGED = ("thing", "place", "tone", "position")
_MORE_CHANGING = frozenset({"no", "gone", "away", "out", "less", "more", "up", "down", "off"})


def bound_of(instruction: str, config: ModelConfig) -> float:
    """The confidence below which a model asks about a reading of the instruction; 0: it never asks."""
    if not config.ask_below or not is_intricate(instruction):
        return config.ask_below
    return max(config.ask_below, config.ask_below_intricate)


@lru_cache(1024)
def is_intricate(instruction: str) -> bool:
    """Whether a sure reading is likelier to be wrong than of a plain instruction."""
    said = " ".join(instruction.casefold().replace("’", "'").split())
    return bool(_CUES.search(said)) or _has_two_clauses(said)


def _has_two_clauses(said: str) -> bool:
    """Whether two clauses each name something else and a change."""
    table = phrase_table(ENGLISH)
    named = list[frozenset[str]]()
    for clause in _JOINTS.split(said):
        tags = {word: set(table.lexicon.tags_of(plain_word(word))) for word in re.findall(r"\w+", clause)}
        changing = {
            word
            for word, its in tags.items()
            if word in _MORE_CHANGING or its & {table.tags[name] for name in _CHANGING}
        }
        changed = {name for name, its in tags.items() if its & {table.tags[kind] for kind in _CHANGED}}
        if changing and changed - changing:
            named.append(frozenset(changed - changing))
    return len(named) > 1 and len(frozenset[str]().union(*named)) > 1
