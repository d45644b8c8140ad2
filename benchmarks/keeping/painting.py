"""A model's edits of many pictures at once, up to where they are brought to the pictures' size."""

import os
from collections.abc import Sequence
from dataclasses import replace

import torch
from PIL import Image

from conversations.settings import EditSettings, SettingsOverride
from mgie_engine.config import models_home
from mgie_engine.edits import Exchange
from mgie_engine.lab.evaluation.scenes_running import paint_all
from mgie_engine.model.mgie import MGIE
from mgie_engine.serving.edit_options import settle
from mgie_engine.serving.loader import ModelChoice
from mgie_engine.serving.pictures import for_the_model
from mgie_engine.serving.postprocess import Painted, with_probe
from mgie_engine.text.prompting import Prompt

Talk = tuple[Exchange, ...]


def load(name: str, device: str) -> MGIE:
    """The model of that name, on a device."""
    return ModelChoice(name, models_home(os.environ), device).load()


def defaults(mgie: MGIE) -> EditSettings:
    """The settings a person has who set nothing, and seed 0."""
    return settle(SettingsOverride(), mgie.config.defaults, fresh_seed=0)


@torch.inference_mode()
def paint(
    mgie: MGIE,
    originals: Sequence[Image.Image],
    instructions: Sequence[str],
    talks: Sequence[Talk],
    settings: EditSettings,
) -> tuple[list[Painted], list[str]]:
    """The painted edits, picture number i with seed + i, and what was understood."""
    squares = [for_the_model(original, mgie.config.picture_size) for original in originals]
    readings = mgie.read(
        squares, [Prompt(instruction, talk) for instruction, talk in zip(instructions, talks, strict=True)]
    )
    seeded = [replace(settings, seed=settings.seed + i) for i in range(len(squares))]
    painted = paint_all(mgie, squares, readings, seeded)
    whole = [replace(one, original=original) for one, original in zip(painted, originals, strict=True)]
    return whole, [reading.expressive for reading in readings]


@torch.inference_mode()
def through(mgie: MGIE, originals: Sequence[Image.Image], goals: Sequence[Image.Image]) -> list[Painted]:
    """The goals as painted edits: through the model's autoencoder, with nothing known of words."""
    side, scale = mgie.config.picture_size, mgie.config.latent_scale
    squares, wanted = ([for_the_model(picture, side) for picture in some] for some in (originals, goals))
    seen, outputs = (mgie.decode(mgie.encode(some) * scale) for some in (squares, wanted))
    found = [
        Painted(*parts, None, mgie.config.name)
        for parts in zip(originals, squares, seen, outputs, strict=True)
    ]
    return [with_probe(mgie, painted) for painted in found]


def enlarged(painted: Painted) -> Image.Image:
    """What a pipeline without restoring gives: the painted square, stretched to the picture."""
    return painted.output.resize(painted.original.size, Image.Resampling.LANCZOS)
