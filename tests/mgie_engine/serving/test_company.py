"""The promise of slots, on true networks: an edit comes out the same alone or in company."""

from dataclasses import replace

import pytest
from PIL import Image
from torch import Tensor

from conversations.settings import EditSettings
from mgie_engine.edits import EditRequest, EditResult, Progress, Stage
from mgie_engine.model.mgie import MGIE
from mgie_engine.serving.denoising import Painting
from mgie_engine.serving.engine import Engine
from mgie_engine.serving.pictures import to_png
from mgie_engine.serving.slot import Slot
from tests.support.tiny_serving import a_tiny_mgie

PLAIN = EditSettings(text_cfg=7.5, image_cfg=1.5, steps=8, seed=7, sampler="euler_ancestral")
ALL_SETTINGS = (
    PLAIN,
    replace(PLAIN, seed=8, steps=5, text_cfg=2.0),
    replace(PLAIN, sampler="dpmpp_2m", steps=6),
    replace(PLAIN, sampler="dpmpp_2m", image_cfg=0.5, keep="off"),
    replace(PLAIN, image_cfg=1.0, steps=3),
)
REQUESTS = tuple(
    EditRequest(
        to_png(Image.effect_mandelbrot((40 + 30 * n, 64), (-3, -2.5, 2, 2.5), 20 + n).convert("RGB")),
        f"make the ball {colour}",
        settings,
    )
    for n, (colour, settings) in enumerate(zip(("red", "blue", "", "</s>", "big"), ALL_SETTINGS, strict=True))
)


class Watched(Engine):
    """Keeps the latents of every edit as they are when painting is over."""

    def __init__(self, model: MGIE) -> None:
        super().__init__(model, preview_shares=())
        self.painted: dict[int, Tensor] = {}
        self.results: dict[int, EditResult] = {}
        self.companions = 0

    def run(self, requests: dict[int, EditRequest], join_at_step: int = 0) -> None:
        """Make these edits; each joins when the one before has made that many steps."""
        waiting = list(requests.items())
        self.admit(*waiting.pop(0))
        while self.busy:
            for key, news in self.step():
                match news:
                    case Progress(Stage.PAINTING, step) if step >= join_at_step and waiting:
                        self.admit(*waiting.pop(0))
                    case EditResult():
                        self.results[key] = news
            self.companions = max(self.companions, len(self._slots))

    def _start_finishing(self, slot: Slot, painting: Painting) -> None:
        self.painted[slot.key] = painting.latents
        super()._start_finishing(slot, painting)


@pytest.fixture(scope="module")
def model() -> MGIE:
    return a_tiny_mgie()


@pytest.fixture(scope="module")
def alone(model: MGIE) -> dict[int, Watched]:
    engines = {key: Watched(model) for key in range(len(REQUESTS))}
    for key, engine in engines.items():
        with engine:
            engine.run({key: REQUESTS[key]})
    return engines


@pytest.mark.parametrize("join_at_step", [0, 2])
def test_the_same_seed_gives_the_same_latents_alone_or_in_company(model, alone, join_at_step):
    with Watched(model) as together:
        together.run(dict(enumerate(REQUESTS)), join_at_step)
    assert together.companions > 1
    for key, latents in together.painted.items():
        apart = alone[key].painted[key]
        # Rounding, which who shares a step decides: up to 6e-4 of the largest on CPUs without AVX-512.
        assert (latents - apart).abs().max() <= 1e-3 * apart.abs().max()
        assert together.results[key].expressive == alone[key].results[key].expressive
        assert together.results[key].size == (40 + 30 * key, 64)


def test_the_same_edit_twice_gives_the_same_bytes(model, alone):
    with Watched(model) as again:
        again.run({0: REQUESTS[0]})
    assert again.results[0].image == alone[0].results[0].image


def test_another_seed_gives_another_picture(model, alone):
    request = replace(REQUESTS[0], settings=replace(PLAIN, seed=9))
    with Watched(model) as other:
        other.run({0: request})
    assert (other.painted[0] - alone[0].painted[0]).abs().max() > 0.1
