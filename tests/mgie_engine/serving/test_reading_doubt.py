"""What is said about a picture that was changed as a whole, where a part of it was named."""

from dataclasses import dataclass

from mgie_engine.config import ModelConfig
from mgie_engine.edits import Doubt, EditRequest
from mgie_engine.serving.reading_doubt import ReadingDoubt, doubt_about
from tests.support.fakes import some_settings

MODEL = ModelConfig(whole_picture="The whole picture", ask_below=0.9)


@dataclass(frozen=True)
class Said:
    """A reading."""

    expressive: str
    confidence: float | None


def test_the_named_part_comes_before_the_bound():
    request = EditRequest(b"", "make the sky darker", some_settings())
    doubt = doubt_about(Said("The whole picture gets darker.", 0.2), request, MODEL)
    assert doubt == ReadingDoubt(Doubt.WHOLE, "sky")
    (note,) = doubt.notes
    assert (note.code, note.params["region"]) == ("note_whole_picture", "sky")


def test_below_the_bound_is_unsure():
    request = EditRequest(b"", "make it darker", some_settings())
    assert doubt_about(Said("The whole picture gets darker.", 0.899), request, MODEL) == ReadingDoubt(
        Doubt.UNSURE
    )
    assert doubt_about(Said("The whole picture gets darker.", 0.9), request, MODEL) is None
    assert doubt_about(Said("The whole picture gets darker.", 0.1), request, ModelConfig()) is None
