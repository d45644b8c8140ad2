"""Two RNG streams, content and wording, so that a scenario can be re-worded reproducibly.

The first wording draws both from one stream and records the content draws. Every further wording replays the
recorded draws and takes only the words from a new stream.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TypeVar

from mgie_engine.lab.scenes import phrasing
from mgie_engine.lab.scenes.expressive_text import Split
from mgie_engine.lab.scenes.scene import SceneObject

Way = TypeVar("Way")


@dataclass(frozen=True, slots=True)
class RngStreams:
    """The random streams of an edit generator, and the words drawn from them."""

    content: Random  # decides what an edit does; draws here must not depend on `wording`
    wording: Random  # decides the words of the instruction
    split: Split  # whose phrasings are used
    is_rewording: bool = False  # whether the content is replayed
    is_bare: bool = False  # whether instructions are parts of longer ones, without typing habits

    @classmethod
    def of(cls, rng: Random, split: Split) -> "RngStreams":
        """Both streams from one generator."""
        return cls(rng, rng, split)

    def phrase(self, kind: str, **known: str | None) -> str:
        """One instruction for `kind`; only phrasings whose fields are all known."""
        say = phrasing.bare_phrase if self.is_bare else phrasing.phrase
        return say(self.wording, kind, self.split, **known)

    def template(self, kind: str, source: str, known: Collection[str] | None = None) -> str:
        """One phrasing of a kind in the table `source`, its fields open; only those in `known` if given."""
        ways = phrasing.templates(kind, self.split, source)
        if known is not None:
            ways = [way for way in ways if phrasing.fields(way) <= {*known}]
        return phrasing.vary(self.wording, self.wording.choice(ways))

    def bare(self) -> "RngStreams":
        """The same streams for parts of an instruction."""
        return replace(self, is_bare=True)

    def say(self, word: str) -> str:
        """A word of the grammar or one of its synonyms."""
        return phrasing.say(self.wording, word)

    def the(self, obj: SceneObject) -> str:
        """An object by its kind, with the article."""
        return f"the {self.say(obj.kind)}"

    def target_colour(self, colour: str) -> str:
        """A name for a target colour."""
        return phrasing.target_colour(self.wording, colour)

    def reworded(self, said: Way, ways: Sequence[Way]) -> Way:
        """The drawn words; when re-wording, any of the `ways` that mean the same."""
        return self.wording.choice(ways) if self.is_rewording else said


def weighted(rng: Random, ways: Sequence[tuple[Way, float]]) -> Way:
    """One of the ways, each drawn as often as its weight says."""
    values, weights = zip(*ways, strict=True)
    drawn: Way = rng.choices(values, weights)[0]
    return drawn


class RecordingRandom(Random):
    """Draws from `source` and records every draw."""

    def __init__(self, source: Random) -> None:
        super().__init__(0)
        self._source = source
        self.tape = list[float]()

    def random(self) -> float:
        """The next number of the source in [0, 1)."""
        self.tape.append(drawn := self._source.random())
        return drawn

    def getrandbits(self, k: int, /) -> int:
        """The next k bits of the source."""
        self.tape.append(drawn := self._source.getrandbits(k))
        return drawn


class ReplayingRandom(Random):
    """Replays recorded draws; StopIteration after the last one."""

    def __init__(self, tape: Sequence[float]) -> None:
        super().__init__(0)
        self._left: Iterator[float] = iter(tape)

    def random(self) -> float:
        """The next recorded number."""
        return next(self._left)

    def getrandbits(self, k: int, /) -> int:
        """The next recorded bits."""
        return int(next(self._left))
