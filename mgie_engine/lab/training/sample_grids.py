"""Sample grids during training: the model's edits of the first examples of the data, beside their goals."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from diffusers.utils import make_image_grid
from PIL import Image
from torch import nn
from torch.distributed.fsdp import FSDPModule

from conversations.settings import EditSettings, Sampler
from mgie_engine.checkpoints.native import Networks
from mgie_engine.config import ModelConfig
from mgie_engine.edits import EditRequest
from mgie_engine.errors import RequestRefused
from mgie_engine.lab.data import shards
from mgie_engine.lab.data.examples import EditExample, opened
from mgie_engine.lab.training.trainer import Trainer
from mgie_engine.model.mgie import MGIE
from mgie_engine.preprocess import training_crop
from mgie_engine.serving.engine import edit_alone
from mgie_engine.serving.pictures import open_picture, to_png
from mgie_engine.text.tokenizer import Tokenizer

SEED = 13331  # the published demo's


@dataclass(frozen=True)
class SampleGrids:
    """Draws DIR/samples/STEP.png: a row per example with input, goal, and what the model makes of it."""

    data: Path
    trainer: Trainer
    root: nn.Module  # holds the networks, and shares them with other processes, if they are shared
    networks: Networks
    config: ModelConfig
    tokenizer: Tokenizer
    side: int
    rows: int
    steps: int

    def draw(self, step: int) -> None:
        """Edit with the averaged weights if the recipe keeps them. All processes call it."""
        examples = list(islice(shards.read_examples(self.data), self.rows))
        with self.trainer.average_in_place(), _gathered(self.root), self.trainer.autocast():
            config = replace(self.config, picture_size=self.side)
            mgie = MGIE(
                config,
                self.tokenizer,
                self.networks.mllm,
                self.networks.edit_head,
                self.networks.unet,
                self.networks.vae,
            )
            found = [self._row(mgie, example) for example in examples]
        if self.trainer.state.is_main_process:
            pictures = [picture.convert("RGB") for row in found for picture in row]
            sheet = make_image_grid(pictures, rows=len(found), cols=len(found[0]))
            file = self.trainer.folder / "samples" / f"{step:08}.png"
            file.parent.mkdir(exist_ok=True)
            sheet.save(file)
            self.trainer.training_log.picture(step, "samples", sheet)

    def _row(self, mgie: MGIE, example: EditExample) -> list[Image.Image]:
        before, goal = (
            training_crop(opened(picture), self.side) for picture in (example.before, example.after)
        )
        usual = self.config.defaults
        sampler: Sampler = "dpmpp_2m" if self.steps < 50 else "euler_ancestral"
        settings = EditSettings(usual.text_cfg, usual.image_cfg, self.steps, SEED, sampler, keep="off")
        request = EditRequest(to_png(before), example.instruction, settings, example.history)
        try:
            result = open_picture(edit_alone(mgie, request, lambda _: None).image)
        except RequestRefused:  # too long for the model
            result = before
        return [before, goal, result]


@contextmanager
def _gathered(root: nn.Module) -> Iterator[None]:
    """Put the networks into evaluation mode for the block, with root parameters unsharded."""
    root.eval()
    if isinstance(root, FSDPModule):
        root.unshard()
    try:
        yield
    finally:
        if isinstance(root, FSDPModule):
            root.reshard()
        root.train()
