"""Whether a reading should be confirmed before it is painted. Imports no torch."""

from dataclasses import dataclass
from typing import Protocol

from conversations.messages import Message
from mgie_engine.config import ModelConfig
from mgie_engine.edits import Doubt, EditRequest
from mgie_engine.text.contradictions import contradicts
from mgie_engine.text.intricate import bound_of
from mgie_engine.text.named_regions import unaddressed_region


class RatedReading(Protocol):
    """What is asked of a reading; `Reading` in production."""

    @property
    def expressive(self) -> str: ...

    @property
    def confidence(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class ReadingDoubt:
    """What is doubtful about a reading; `region`: the part that was named, with Doubt.WHOLE."""

    kind: Doubt
    region: str | None = None

    @property
    def notes(self) -> tuple[Message, ...]:
        """What is said about a result that was made all the same."""
        return (Message("note_whole_picture", region=self.region),) if self.region else ()


def doubt_about(reading: RatedReading, request: EditRequest, config: ModelConfig) -> ReadingDoubt | None:
    """The doubt about what the model wrote; None about a reading that was given."""
    if request.reading is not None:
        return None
    is_unsure = reading.confidence is not None and (
        reading.confidence < bound_of(request.instruction, config)
        or (config.ask_below > 0 and contradicts(request.instruction, reading.expressive, config))
    )
    region = unaddressed_region(request.instruction, reading.expressive, config, is_unsure=is_unsure)
    if region:
        return ReadingDoubt(Doubt.WHOLE, region)
    return ReadingDoubt(Doubt.UNSURE) if is_unsure else None
