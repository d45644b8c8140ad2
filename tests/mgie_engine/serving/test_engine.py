"""Edits share the engine, join and leave at any step, and fail alone."""

import io
import weakref
from concurrent.futures import wait
from dataclasses import replace

import pytest
import torch
from PIL import Image

from conversations.settings import EditSettings
from mgie_engine.edits import Doubt, EditRequest, EditResult, Exchange, Progress, Stage
from mgie_engine.errors import EngineError, NotFinite, RequestRefused
from mgie_engine.model.mgie import NoisyBatch
from mgie_engine.serving.engine import Engine, Event, edit_alone
from tests.support.fake_model import TOKENS, FakeModel
from tests.support.fakes import a_picture, some_settings


def ask(instruction: str = "make it red", **settings) -> EditRequest:
    return EditRequest(a_picture(30, 20), instruction, replace(some_settings(), **settings))


def run(engine: Engine) -> list[Event]:
    """Every event until nothing is left to do."""
    events = []
    while engine.busy:
        events += engine.step()
    return events


def run_until_painting(engine: Engine, key: int, step: int = 1) -> list[Event]:
    """Every event up to that step of that edit."""
    events: list[Event] = []
    while not any(
        k == key and isinstance(news, Progress) and news.stage is Stage.PAINTING and news.step >= step
        for k, news in events
    ):
        events += engine.step()
    return events


def pictures_open(engine: Engine) -> None:
    """Wait until every picture is opened, so that what follows does not depend on how fast that is."""
    wait([slot.opening for slot in engine._slots.values()])


def news_of(events: list[Event], key: int) -> list[Progress | EditResult | EngineError]:
    return [news for k, news in events if k == key]


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def engine(model: FakeModel):
    with Engine(model, clock=lambda: model.seconds) as engine:
        yield engine


def test_an_edit_tells_its_way_and_ends_with_the_picture(engine: Engine):
    engine.admit(1, ask(steps=3))
    *progress, result = news_of(run(engine), 1)
    told = [(p.stage, p.step) for p in progress]
    assert told == [
        (Stage.READING, 0),
        (Stage.PAINTING, 0),
        (Stage.PAINTING, 1),
        (Stage.PAINTING, 2),
        (Stage.PAINTING, 3),
        (Stage.FINISHING, 3),
    ]
    assert isinstance(result, EditResult)
    assert (result.model, result.size) == ("fake", (30, 20))
    assert set(result.seconds) == {"reading", "painting", "finishing"}


@pytest.mark.parametrize("size", [(30, 20), (1100, 1000)], ids=["in the loop", "beside it"])
def test_the_delivered_picture_has_the_size_it_came_with(engine: Engine, size: tuple[int, int]):
    engine.admit(1, replace(ask(), image=a_picture(*size)))
    result = news_of(run(engine), 1)[-1]
    assert isinstance(result, EditResult)
    with Image.open(io.BytesIO(result.image)) as picture:
        assert (picture.format, picture.size) == ("PNG", size)


def test_the_expressive_instruction_is_known_once_reading_is_over(engine: Engine):
    engine.admit(1, ask("make it red"))
    progress = [news for news in news_of(run(engine), 1) if isinstance(news, Progress)]
    assert progress[0].expressive is None
    assert {news.expressive for news in progress[1:]} == {"make it red (0 before)"}


def test_a_corrected_reading_takes_the_place_of_the_models_own(model: FakeModel):
    result = edit_alone(model, replace(ask(), reading="The ball is red."), lambda _: None)
    assert result.expressive == "The ball is red."


def test_the_conversation_so_far_reaches_the_model(model: FakeModel):
    result = edit_alone(model, replace(ask(), history=(Exchange("a", "A."),)), lambda _: None)
    assert result.expressive.endswith("(1 before)")


WHOLE = "The whole picture gets the sky darker"  # the words of a request are its reading here


@pytest.mark.parametrize(
    ("words", "doubt", "region"), [("perhaps red", Doubt.UNSURE, None), (f"{WHOLE}, sky", None, None)]
)
def test_a_doubtful_reading_ends_the_edit_where_the_settings_ask(model: FakeModel, words, doubt, region):
    result = edit_alone(model, ask(words, ask="on"), lambda _: None)
    assert (result.is_question, result.doubt, result.region) == (doubt is not None, doubt, region)
    assert model.batches == ([] if doubt else [1] * some_settings().steps)
    if doubt:
        assert result.other_readings == ("Another reading.",)
        assert result.image == ask(words).image


def test_a_doubtful_reading_is_painted_and_reported_where_they_do_not(model: FakeModel):
    result = edit_alone(model, ask("perhaps red"), lambda _: None)
    assert (result.is_question, result.doubt, result.confidence) == (False, Doubt.UNSURE, 0.5)


def test_a_given_reading_is_in_no_doubt(model: FakeModel):
    result = edit_alone(model, replace(ask("perhaps red", ask="on"), reading="Red."), lambda _: None)
    assert (result.is_question, result.doubt, result.confidence) == (False, None, None)


def test_there_are_at_most_two_previews(engine: Engine):
    engine.admit(1, ask(steps=20))
    steps = [news.step for news in news_of(run(engine), 1) if isinstance(news, Progress) and news.preview]
    assert steps == [7, 14]


def test_a_newcomer_joins_the_others_at_their_next_step(engine: Engine, model: FakeModel):
    engine.admit(1, ask(steps=40))
    run_until_painting(engine, 1, step=3)
    engine.admit(2, ask(steps=4))
    pictures_open(engine)
    run_until_painting(engine, 2)
    assert model.batches[-1] == 2


def test_the_others_go_on_painting_while_a_newcomer_reads(engine: Engine, model: FakeModel):
    engine.admit(1, ask(steps=40))
    run_until_painting(engine, 1, step=3)
    del model.log[:]
    engine.admit(2, ask(steps=40))
    pictures_open(engine)
    run_until_painting(engine, 2)
    since_it_came = model.log[model.log.index("read") :]
    assert since_it_came[: 2 * TOKENS] == ["read", "paint"] * TOKENS


def test_every_edit_keeps_its_own_number_of_steps(engine: Engine):
    engine.admit(1, ask(steps=2))
    engine.admit(2, ask(steps=5))
    events = run(engine)
    for key, steps in ((1, 2), (2, 5)):
        assert max(news.step for news in news_of(events, key) if isinstance(news, Progress)) == steps
        assert isinstance(news_of(events, key)[-1], EditResult)


SETTINGS = [
    some_settings(),
    replace(some_settings(), seed=8, steps=9),
    replace(some_settings(), sampler="dpmpp_2m", text_cfg=3.0),
    replace(some_settings(), image_cfg=0.5, steps=1),
]


def test_company_changes_nothing(engine: Engine, model: FakeModel):
    requests = [EditRequest(a_picture(9, 9, "olive"), "make it red", settings) for settings in SETTINGS]
    alone = [edit_alone(FakeModel(), request, lambda _: None) for request in requests]
    for key, request in enumerate(requests):
        engine.admit(key, request)
    pictures_open(engine)
    events = run(engine)
    together = [news_of(events, key)[-1] for key in range(len(requests))]
    assert max(model.batches) > 1
    assert [result.image for result in together] == [result.image for result in alone]


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_same_request_gives_the_same_bytes(settings: EditSettings):
    request = EditRequest(a_picture(9, 9, "olive"), "make it red", settings)
    first, second = (edit_alone(FakeModel(), request, lambda _: None) for _ in range(2))
    assert first.image == second.image


@pytest.mark.parametrize("at_step", [0, 2])
def test_a_cancelled_edit_is_gone_at_the_next_step(engine: Engine, model: FakeModel, at_step: int):
    engine.admit(1, ask(steps=30))
    engine.admit(2, ask(steps=30))
    pictures_open(engine)
    run_until_painting(engine, 2, step=at_step)
    engine.cancel(1)
    painted = len(model.batches)
    events = run(engine)
    assert news_of(events, 1) == []
    assert isinstance(news_of(events, 2)[-1], EditResult)
    assert set(model.batches[painted:]) == {1}


def test_an_edit_can_be_cancelled_before_anything_was_done(engine: Engine):
    engine.admit(1, ask())
    engine.cancel(1)
    assert not engine.busy
    assert engine.step() == []


def test_cancelling_what_is_not_there_changes_nothing(engine: Engine):
    engine.cancel(99)
    assert not engine.busy


@pytest.mark.parametrize(
    ("bad", "error", "sentence"),
    [
        (replace(ask(), image=b"no picture"), RequestRefused, "cannot be read"),
        (ask(steps=0), RequestRefused, "steps must be between 1 and 200"),
        (ask(text_cfg=float("nan")), RequestRefused, "text_cfg must be"),
        (ask("refuse to read"), EngineError, "no such word"),
        (ask("explode"), EngineError, "boom"),
        (ask("exhaust memory"), RequestRefused, "not enough memory"),
        (ask("overflow"), NotFinite, "not finite"),
    ],
    ids=lambda value: value.instruction if isinstance(value, EditRequest) else "",
)
def test_what_goes_wrong_with_an_edit_goes_wrong_with_that_one_alone(
    engine: Engine, bad: EditRequest, error: type[EngineError], sentence: str
):
    good = ask(steps=9)
    engine.admit(1, good)
    engine.admit(2, bad)
    events = run(engine)
    failure, result = news_of(events, 2)[-1], news_of(events, 1)[-1]
    assert type(failure) is error
    assert sentence in str(failure)
    assert isinstance(result, EditResult)
    assert result.image == edit_alone(FakeModel(), good, lambda _: None).image


def test_one_by_one_begins_when_the_memory_of_the_many_is_free_again(model: FakeModel):
    """An error that is still being handled keeps the frames it came through, and what they hold."""
    held: list[weakref.ref[torch.Tensor]] = []
    plain = model.denoise

    def denoise(batch: NoisyBatch):
        if len(batch.latents) > 1:
            activations = torch.zeros(10)
            held.append(weakref.ref(activations))
            raise torch.OutOfMemoryError("no more")
        assert [ref() for ref in held] == [None] * len(held)
        return plain(batch)

    model.denoise = denoise  # type: ignore[method-assign]
    with Engine(model, clock=lambda: model.seconds) as engine:
        engine.admit(1, ask(steps=12))
        engine.admit(2, ask())
        pictures_open(engine)
        ends = [news for _, news in run(engine) if not isinstance(news, Progress)]
    assert held
    assert [type(end) for end in ends] == [EditResult, EditResult]


def test_a_broken_device_is_not_survived(engine: Engine):
    engine.admit(1, ask("break the device"))
    with pytest.raises(torch.AcceleratorError):
        run(engine)


def test_a_reading_that_changes_nothing_gives_the_picture_back_unpainted(engine: Engine, model: FakeModel):
    model.config = replace(model.config, refusal="Nothing changes")
    request = replace(ask(), reading="Nothing changes. I see no ball here.")
    engine.admit(1, request)
    *progress, result = news_of(run(engine), 1)
    assert isinstance(result, EditResult)
    assert (result.image, result.changed) == (request.image, 0.0)
    assert {p.stage for p in progress} == {Stage.READING}
