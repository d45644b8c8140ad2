"""`MGIEPipeline`: the editor in the manner of a diffusers pipeline, for those who come from there."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, cast

import numpy as np
from PIL import Image

from conversations.settings import RANGES
from mgie_engine.edits import EditResult, Progress, Stage
from mgie_engine.python_api.edit_requests import EditOptions, build_request, check_language
from mgie_engine.python_api.editor import Editor
from mgie_engine.python_api.picture_source import PictureSource, open_mask_source, open_source
from mgie_engine.serving.pictures import open_picture

if TYPE_CHECKING:
    import torch

_SEEDS = int(RANGES["seed"][1]) + 1
OnStepEnd = Callable[["MGIEPipeline", int, int, dict[str, Any]], object]


@dataclass(frozen=True, slots=True)
class MGIEPipelineOutput:
    """Edited pictures, in the order of the inputs; the lists are of one length."""

    images: list[Image.Image] | list[np.ndarray]  # each at its input's size; arrays (H, W, C) in 0…1
    expressive_instructions: list[str]
    seeds: list[int]
    is_declined: list[bool]  # where the model says that it cannot make the edit; the image is then the input
    confidences: list[float | None]  # how sure the model was of what it understood, 0 to 1


class MGIEPipeline:
    """MGIE with the calls and argument names of a pipeline of diffusers.

    `MGIEPipeline.from_pretrained("mgie-mini")`, then `pipe(image, "make it darker").images[0]`.
    """

    def __init__(self, editor: Editor) -> None:
        self.editor = editor

    @classmethod
    def from_pretrained(cls, model: str | Path, *, device: str = "auto", **options: Any) -> Self:
        """Load a model from a name or a folder; raises ModelError. `options`: as of Editor."""
        return cls(Editor(model, device=device, **options))

    @property
    def device(self) -> str:
        """Where it runs: "cpu", "cuda:0"."""
        return self.editor.device

    def __call__(
        self,
        image: PictureSource | Sequence[PictureSource],
        instruction: str | Sequence[str],
        *,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        image_guidance_scale: float | None = None,
        num_images_per_prompt: int = 1,
        generator: "torch.Generator | int | None" = None,
        expressive_instruction: str | None = None,
        mask_image: PictureSource | None = None,
        output_type: Literal["pil", "np"] = "pil",
        callback_on_step_end: OnStepEnd | None = None,
    ) -> MGIEPipelineOutput:
        """Edit pictures of any size; one instruction for all, or one for each.

        num_inference_steps     1 to 200; the model's own if left out, as are the scales
        guidance_scale          text CFG, 1 to 20
        image_guidance_scale    image CFG, 0 to 5
        num_images_per_prompt   results for each picture, with seeds that count up
        generator               its initial seed, or a seed: the same gives the same pictures
        expressive_instruction  to use in place of the model's own
        mask_image              of the same size, white where pictures may change; every byte outside stays
        output_type             "pil", or "np" for arrays (H, W, C) of float32 in 0…1
        callback_on_step_end    is called as (pipeline, step from 0, denoising steps, {}) after each step

        ValueError for lists of different lengths, no results, or another output type; else raises what
        `Editor.edit` does, without EditDeclined.
        """
        _check_output(num_images_per_prompt, output_type)
        seed = _seed_of(generator)
        options = _given_options(num_inference_steps, guidance_scale, image_guidance_scale)
        mask = None if mask_image is None else open_mask_source(mask_image)
        results: list[EditResult] = []
        for source, words in _pairs(image, instruction):
            if expressive_instruction is None:
                check_language(words, self.editor.config)
            opened = open_source(source)
            for number in range(num_images_per_prompt):
                options["seed"] = (seed + number) % _SEEDS
                defaults = self.editor.config.defaults
                request = build_request(
                    opened.png, words, options, defaults, reading=expressive_instruction, mask=mask
                )
                results.append(self.editor.run(request, self._report(callback_on_step_end)))
        return _output(results, output_type)

    def _report(self, on_step_end: OnStepEnd | None) -> Callable[[Progress], None]:
        last = 0

        def report(progress: Progress) -> None:
            nonlocal last
            if on_step_end and progress.stage is Stage.PAINTING and progress.step > last:
                last = progress.step
                on_step_end(self, progress.step - 1, progress.steps, {})

        return report


def _check_output(count: int, output_type: str) -> None:
    if count < 1:
        raise ValueError(f"num_images_per_prompt is {count}, and should be at least 1")
    if output_type not in ("pil", "np"):
        raise ValueError(f"output_type is {output_type!r}, and should be 'pil' or 'np'")


def _output(results: Sequence[EditResult], output_type: str) -> MGIEPipelineOutput:
    images = [open_picture(result.image) for result in results]
    return MGIEPipelineOutput(
        images if output_type == "pil" else [np.asarray(one, np.float32) / 255 for one in images],
        [result.expressive for result in results],
        [result.settings.seed for result in results],
        [result.is_declined for result in results],
        [result.confidence for result in results],
    )


def _seed_of(generator: "torch.Generator | int | None") -> int:
    if generator is None:
        return secrets.randbelow(_SEEDS)
    return (generator if isinstance(generator, int) else generator.initial_seed()) % _SEEDS


def _pairs(
    image: PictureSource | Sequence[PictureSource], instruction: str | Sequence[str]
) -> Iterator[tuple[PictureSource, str]]:
    """Every picture with its instruction."""
    is_list = isinstance(image, Sequence) and not isinstance(image, str | bytes)
    images = list(cast(Sequence[PictureSource], image)) if is_list else [cast(PictureSource, image)]
    words = [instruction] * len(images) if isinstance(instruction, str) else list(instruction)
    if len(images) == 1 < len(words):
        images *= len(words)
    if len(images) != len(words):
        raise ValueError(f"{len(images)} pictures and {len(words)} instructions do not go together")
    return iter(zip(images, words, strict=True))


def _given_options(steps: int | None, text_cfg: float | None, image_cfg: float | None) -> EditOptions:
    """Those that are given; the model's own hold for the others."""
    options: EditOptions = {}
    if steps is not None:
        options["steps"] = steps
    if text_cfg is not None:
        options["text_cfg"] = text_cfg
    if image_cfg is not None:
        options["image_cfg"] = image_cfg
    return options
