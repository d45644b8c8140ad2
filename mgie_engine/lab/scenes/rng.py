"""Chance in two streams: what is told, and in which words. So a story can be told again in other words.

The first time both come from one stream, and what is drawn for the telling is kept on a tape; the next time
that is read from the tape and only the words are drawn anew.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

Way = TypeVar("Way")


@dataclass(frozen=True, slots=True)
class RngStreams:
    """What a maker of edits throws."""

    content: Random  # decides what an edit does; nothing that is drawn here may hang on `how`
    wording: Random  # decides in which words it is asked for
    is_rewording: bool = False  # whether all this was told before

    @classmethod
    def of(cls, rng: Random) -> "RngStreams":
        """Both from one stream."""
        return cls(rng, rng)

    def reworded(self, said: Way, ways: Sequence[Way]) -> Way:
        """What was drawn to be said; told again, any of the `ways` that mean the same."""
        return self.wording.choice(ways) if self.is_rewording else said


class RecordingRandom(Random):
    """Draws what `source` draws, and keeps it on a tape."""

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
    """Draws again what is on a tape; StopIteration where it is asked for more."""

    def __init__(self, tape: Sequence[float]) -> None:
        super().__init__(0)
        self._left: Iterator[float] = iter(tape)

    def random(self) -> float:
        """The next number on the tape."""
        return next(self._left)

    def getrandbits(self, k: int, /) -> int:
        """The next bits on the tape."""
        return int(next(self._left))
