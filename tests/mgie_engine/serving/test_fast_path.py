"""The levels above exact, without graphs: the same programs, run eagerly on the CPU."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from mgie_engine.edits import EditRequest, EditResult, Progress, Stage
from mgie_engine.errors import ModelError
from mgie_engine.memory.graph_memory import SlotPlan
from mgie_engine.memory.modes import Mode, parse
from mgie_engine.model.mgie import MGIE
from mgie_engine.serving import precision_levels
from mgie_engine.serving.engine import Engine, edit_alone, edit_with
from mgie_engine.serving.fast_path import FastPath
from mgie_engine.serving.masks import mask_png
from mgie_engine.serving.pictures import open_picture, to_png
from mgie_engine.serving.precision_levels import Level
from mgie_engine.serving.slot_painting import split
from tests.mgie_engine.serving.test_company import REQUESTS, Watched
from tests.mgie_engine.serving.test_engine import pictures_open
from tests.support.tiny_serving import a_tiny_mgie

SLOTS = SlotPlan(slots=8, batches=(1, 2, 4), rows=8, length=448)


class WatchedFast(Engine):
    """Keeps the latents of every edit as they are when painting is over."""

    def __init__(self, model: MGIE, fast: FastPath) -> None:
        super().__init__(model, fast=fast, level=Level.SAME)
        self.painted: dict[int, torch.Tensor] = {}
        self.guidance: dict[int, torch.Tensor] = {}
        finish, self._watched = fast.finish, fast

        def watched(painting, *rest):
            key = next(key for key, slot in self._slots.items() if slot.painting is painting)
            self.painted[key], self.guidance[key] = painting.latents, self._slots[key].reading.guidance
            return finish(painting, *rest)

        fast.finish = watched  # type: ignore[method-assign]

    def __exit__(self, *reasons: object) -> None:
        super().__exit__(*reasons)
        del self._watched.finish

    def run(self, requests: dict[int, EditRequest], at_once: int = 4) -> dict[int, EditResult]:
        waiting, results = list(requests.items()), {}
        while waiting or self.busy:
            while waiting and self.under_way < at_once:
                self.admit(*waiting.pop(0))
            for key, news in self.step():
                if isinstance(news, EditResult):
                    results[key] = news
                elif not isinstance(news, Progress):
                    raise news
        return results


@pytest.fixture(scope="module")
def model() -> MGIE:
    return a_tiny_mgie()


@pytest.fixture(scope="module")
def fast(model: MGIE) -> FastPath:
    return FastPath(model, SLOTS)


def run(model, fast, keys, at_once=4):
    with WatchedFast(model, fast) as engine:
        results = engine.run({key: REQUESTS[key] for key in keys}, at_once)
    assert len(fast.painting.free) == SLOTS.painting
    return engine, results


def test_the_level_same_gives_what_exact_gives_but_for_rounding(model, fast):
    _, results = run(model, fast, range(len(REQUESTS)))
    with Watched(model) as exact:
        exact.run(dict(enumerate(REQUESTS)))
    for key, result in results.items():
        assert result.expressive == exact.results[key].expressive
        assert (result.level, exact.results[key].level) == ("same", "exact")


def test_latents_are_those_of_exact(model, fast):
    engine, _ = run(model, fast, range(len(REQUESTS)))
    with Watched(model) as exact:
        exact.run(dict(enumerate(REQUESTS)))
    for key, latents in engine.painted.items():
        expected = exact.painted[key]
        # The plain path's own rounding: a schedule that begins at sigma 4096 leaves fp32 few digits.
        assert (latents - expected).norm() <= 5e-3 * expected.norm()


def test_a_reading_never_depends_on_company(model, fast):
    together, texts = run(model, fast, range(len(REQUESTS)))
    for key in range(len(REQUESTS)):
        alone, text = run(model, fast, [key])
        assert text[key].expressive == texts[key].expressive
        # To the byte in one and the same row, see test_static_decode; a CPU rounds each row differently.
        torch.testing.assert_close(alone.guidance[key], together.guidance[key], atol=1e-5, rtol=0)


def test_readings_share_every_token(model, fast, monkeypatch):
    decoded = []
    choose_next = fast.decoder.choose_next

    def counted():
        decoded.append(1)
        return choose_next()

    monkeypatch.setattr(fast.decoder, "choose_next", counted)
    run(model, fast, [0])
    one = len(decoded)
    with Engine(model, fast=fast, level=Level.SAME) as engine:
        for key in range(4):
            engine.admit(key, REQUESTS[key])
        pictures_open(engine)
        while engine.busy:
            engine.step()
    assert one > 0
    assert len(decoded) - one < 2 * one


def test_more_edits_than_slots_wait_for_one(model, fast):
    _, results = run(model, fast, range(5), at_once=5)
    assert len(results) == 5


@pytest.mark.parametrize("is_given", [False, True])
def test_what_is_exact_by_its_reading_waits_for_no_painting_slot(model, fast, monkeypatch, is_given):
    said = "The whole picture gets darker. All things stay where they are."
    read = fast.reading

    def reading(*asked):
        return replace((yield from read(*asked)), expressive=said)

    monkeypatch.setattr(fast, "reading", reading)
    request = replace(REQUESTS[0], reading=said if is_given else None)
    taken = list(fast.painting.free)
    fast.painting.free.clear()
    try:
        with WatchedFast(model, fast) as engine:
            results = engine.run({0: request})
    finally:
        fast.painting.free.extend(taken)
    assert (engine.painted, results[0].is_exact) == ({}, True)
    assert results[0].image == edit_alone(model, replace(request, reading=said), lambda _: None).image


def test_a_cancelled_edit_gives_its_row_and_its_slot_back(model, fast):
    with Engine(model, fast=fast, level=Level.SAME) as engine:
        engine.admit(0, REQUESTS[0])
        engine.admit(1, REQUESTS[1])
        while not any(n.stage is Stage.PAINTING for _, n in engine.step() if isinstance(n, Progress)):
            pass
        engine.cancel(0)
        engine.cancel(1)
        assert not engine.busy
    assert len(fast.painting.free) == SLOTS.painting
    assert fast.reader._rows == [None] * SLOTS.rows


def test_previews_arrive_though_they_are_made_beside(model, fast):
    request = replace(REQUESTS[0], settings=replace(REQUESTS[0].settings, steps=30))
    seen: list[Progress] = []
    with Engine(model, fast=fast, level=Level.SAME) as engine:
        edit_with(engine, request, seen.append)
    assert [p for p in seen if p.preview]


def test_the_self_test_passes(model, fast):
    assert precision_levels.self_test(model, fast) == ""


def test_the_self_test_drops_a_step_that_is_off(model):
    other = FastPath(model, SLOTS)
    good = other.painting._programs[2, 3]
    other.painting._programs[2, 3] = lambda: (good(), other.painting.held.x0.mul_(1.5))[0]
    assert precision_levels.self_test(model, other) == ""
    assert (2, 3) not in other.painting.shapes


def test_without_any_step_the_engine_works_at_exact(model, monkeypatch):
    monkeypatch.setattr(precision_levels, "MOST_ERROR", dict.fromkeys(precision_levels.MOST_ERROR, 0.0))
    prepared = precision_levels.prepare(model, Mode.FP32, Level.SAME)
    assert (prepared.level, prepared.fast) == (Level.EXACT, None)
    assert "exact" in prepared.notes[-1]


def test_a_reading_that_is_off_is_noticed(model, fast, monkeypatch):
    wrong = torch.ones(8, model.config.language.hidden_size)
    monkeypatch.setattr(fast.reader, "_visual_states", lambda row, ids: wrong)
    assert "guidance" in precision_levels.self_test(model, fast)


def test_memory_that_runs_out_means_fewer_slots(model, monkeypatch):
    asked = []

    def short(mgie, plan, reuse_guidance=False):
        asked.append(plan.slots)
        if plan.slots > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return FastPath(mgie, replace(SLOTS, slots=plan.slots, batches=plan.batches))

    monkeypatch.setattr(precision_levels, "FastPath", short)
    prepared = precision_levels.prepare(model, Mode.FP32, Level.SAME)
    assert asked == [16, 8, 4]
    assert prepared.level is Level.SAME
    assert len(prepared.notes) == 2


@pytest.mark.parametrize(
    ("count", "groups"),
    [(0, []), (1, [1]), (3, [2, 1]), (5, [4, 1]), (7, [4, 2, 1]), (8, [8]), (11, [8, 2, 1])],
)
def test_edits_are_split_so_that_little_is_padded(count: int, groups: list[int]):
    assert split(count, [1, 2, 4, 8]) == groups


def test_where_only_a_large_program_is_left_it_is_padded():
    assert split(3, [4]) == [3]


def test_levels_by_name():
    assert parse("auto", Level, "level") is None
    assert parse("fast", Level, "level") is Level.FAST
    with pytest.raises(ModelError, match="no level 'best'"):
        parse("best", Level, "level")


def test_on_a_cpu_exact_is_the_default():
    assert precision_levels.default_level(torch.device("cpu"), Mode.FP32) is Level.EXACT
    assert precision_levels.default_level(torch.device("cuda"), Mode.SWAP) is Level.EXACT


def test_the_level_fast_reuses_guidance_and_stays_near(model):
    quick = FastPath(model, SLOTS, reuse_guidance=True)
    request = replace(REQUESTS[0], settings=replace(REQUESTS[0].settings, steps=20))
    with WatchedFast(model, quick) as engine:
        engine.run({0: request})
    with Watched(model) as exact:
        exact.run({0: request})
    assert (1, 1) in quick.painting.shapes
    difference = (engine.painted[0] - exact.painted[0]).abs().max()
    assert 0 < difference < exact.painted[0].abs().max()


def test_an_edit_whose_numbers_break_up_fails_alone(model, fast):
    with WatchedFast(model, fast) as engine:
        engine.admit(0, REQUESTS[0])
        engine.admit(1, REQUESTS[1])
        ends, spoilt = {}, False
        while engine.busy:
            for key, news in engine.step():
                if not isinstance(news, Progress):
                    ends[key] = news
            slot = engine._slots.get(1)
            if not spoilt and slot and slot.painting:
                with torch.inference_mode():
                    fast.painting.held.latents[slot.painting.number].fill_(torch.nan)
                spoilt = True
    assert "not finite" in str(ends[1])
    assert isinstance(ends[0], EditResult)


def test_pictures_of_any_shape_come_back_in_their_size(model, fast):
    picture = Image.new("RGB", (70, 33), "olive")
    from mgie_engine.serving.pictures import to_png

    request = replace(REQUESTS[0], image=to_png(picture))
    with Engine(model, fast=fast, level=Level.SAME) as engine:
        assert edit_with(engine, request, lambda _: None).size == (70, 33)


def test_a_mask_holds_above_the_level_exact(model, fast):
    marked = Image.new("L", (50, 30))
    marked.paste(255, (10, 10, 30, 20))
    request = replace(
        REQUESTS[0],
        image=to_png(before := Image.effect_noise((50, 30), 90).convert("RGB")),
        mask=mask_png(marked),
        settings=replace(REQUESTS[0].settings, keep="off"),
    )
    with Engine(model, fast=fast, level=Level.SAME) as engine:
        after = open_picture(edit_with(engine, request, lambda progress: None).image)
    outside = np.asarray(marked) == 0
    assert np.array_equal(np.asarray(after)[outside], np.asarray(before)[outside])
    assert not np.array_equal(np.asarray(after), np.asarray(before))
