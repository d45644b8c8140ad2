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


def test_a_part_that_the_model_was_taught_is_named_where_it_is_unsure():
    model = ModelConfig(whole_picture="The whole picture", ask_below=0.9, regions=("sky",))
    request = EditRequest(b"", "make it moody just the sky", some_settings())
    whole = "The whole picture gets moody."
    assert doubt_about(Said(whole, 0.2), request, model) == ReadingDoubt(Doubt.WHOLE, "sky")
    assert doubt_about(Said(whole, 0.95), request, model) is None
    assert doubt_about(Said("The sky gets moody.", 0.2), request, model) == ReadingDoubt(Doubt.UNSURE)


def test_below_the_bound_is_unsure():
    request = EditRequest(b"", "make it darker", some_settings())
    assert doubt_about(Said("The whole picture gets darker.", 0.899), request, MODEL) == ReadingDoubt(
        Doubt.UNSURE
    )
    assert doubt_about(Said("The whole picture gets darker.", 0.9), request, MODEL) is None
    assert doubt_about(Said("The whole picture gets darker.", 0.1), request, ModelConfig()) is None


def test_a_sure_reading_that_leaves_out_a_clause_is_unsure():
    model = ModelConfig(things=("house", "tree"), ask_below=0.7, corrects_typos=True)
    request = EditRequest(b"", "paint the house pink and enlrage the tree", some_settings())
    half = Said("The large white house at the back turns pink.", 0.99)
    assert doubt_about(half, request, model) == ReadingDoubt(Doubt.UNSURE)
    both = Said(f"{half.expressive} The small green tree in front grows from small to medium.", 0.99)
    assert doubt_about(both, request, model) is None
    assert doubt_about(half, request, ModelConfig(things=("house", "tree"))) is None


def test_an_intricate_instruction_has_a_higher_bound():
    model = ModelConfig(ask_below=0.6, ask_below_intricate=0.85)
    reading = Said("The ball in front turns blue.", 0.7)
    assert doubt_about(reading, EditRequest(b"", "make the ball blue", some_settings()), model) is None
    excluding = EditRequest(b"", "make the ball blue, not the car", some_settings())
    assert doubt_about(reading, excluding, model) == ReadingDoubt(Doubt.UNSURE)
    assert doubt_about(reading, excluding, ModelConfig(ask_below_intricate=0.85)) is None
