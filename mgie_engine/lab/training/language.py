"""The second stage: trains the language model to look and to write expressive instructions.

Beside the next-token loss, a probe predicts the content of each cell from the patches. It trains the vision
tower in hundreds of steps instead of thousands, and is then discarded.
"""

from collections.abc import Iterator, Mapping
from itertools import chain

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from mgie_engine.lab.training.context import StageContext, TextSampler
from mgie_engine.lab.training.dataset import ANSWERS
from mgie_engine.lab.training.latent_cache import SceneRenderer, normalised, shifted, vision_pixels
from mgie_engine.lab.training.objective import TextBatch, next_token_loss
from mgie_engine.model.mllm import MLLM


class CellProbe(nn.Module):
    """Predicts the content of every cell from patches: learned queries, one attention, one linear layer."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(len(ANSWERS), hidden) * 0.02)
        self.look = nn.MultiheadAttention(hidden, 4, batch_first=True)
        self.places = nn.Parameter(torch.randn(1, 64, hidden) * 0.02)
        self.answers = nn.Linear(hidden, max(ANSWERS))

    def forward(self, patches: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """Loss, and the share of right answers; patches (B, 64, D), truth (B, Q), -1 where unknown."""
        queries = self.queries.expand(len(patches), -1, -1)
        seen, _ = self.look(queries, patches + self.places, patches, need_weights=False)
        scores = self.answers(seen).float()  # (B, Q, choices)
        loss = F.cross_entropy(scores.flatten(0, 1), truth.flatten(), ignore_index=-1, reduction="sum")
        known = truth >= 0
        right = ((scores.argmax(-1) == truth) & known).sum() / known.sum().clamp(min=1)
        return loss / known.sum().clamp(min=1), right


class LanguageLoss(nn.Module):
    """Both losses of a batch, as one graph to compile."""

    def __init__(self, mllm: MLLM, probe: CellProbe) -> None:
        super().__init__()
        self.mllm, self.probe = mllm, probe

    def forward(
        self, ids: Tensor, labels: Tensor, real: Tensor, picture_at: Tensor, pixels: Tensor, truth: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Next-token loss, probe loss, share of right answers."""
        patches = self.mllm.patches(pixels)
        states = self.mllm.follow(ids, patches, picture_at, real)
        words = next_token_loss(self.mllm.lm_head(states), labels)
        return words, *self.probe(patches, truth)


def train_mllm(run: StageContext) -> MLLM:
    """Train on pictures rendered at the vision tower's size, from DIR/start-mllm.safetensors if it exists."""
    torch.manual_seed(run.recipe.seed)
    mllm, probe = MLLM(run.config).to(run.device), CellProbe(run.config.language.hidden_size).to(run.device)
    if (start := run.folder / "start-mllm.safetensors").is_file():
        mllm.load_state_dict(load_file(start))
    batches = _batches(run)
    first = next(batches)  # paints every picture, before the clock runs
    trainer = run.trainer(nn.ModuleDict({"mllm": mllm, "quiz": probe}))
    task = run.compiled(LanguageLoss(mllm, probe))
    quiz_weight = run.recipe.options.get("quiz_weight", 0.5)

    def loss(modules: nn.ModuleDict, batch: tuple[TextBatch, Tensor]) -> Mapping[str, Tensor]:
        texts, truth = batch
        words, asked, right = task(texts.ids, texts.labels, texts.real, texts.picture_at, texts.pixels, truth)
        return {"total": words + quiz_weight * asked, "words": words, "quiz_right": right}

    trainer.fit(chain([first], batches), loss)
    return trainer.averaged["mllm"]  # type: ignore[return-value]


def _small_pictures(run: StageContext, rows: Tensor, side: int) -> Tensor:
    """The pictures of rows (N,) as the vision tower sees them, (N, 3, side, side) uint8."""
    renderer = SceneRenderer(run.dataset, run.device)
    small = torch.empty(len(rows), 3, side, side, dtype=torch.uint8, device=run.device)
    for start in range(0, len(rows), 256):
        part = torch.arange(start, min(start + 256, len(rows)))
        small[part] = vision_pixels(renderer(rows[part], run.config.picture_size), side)
    return small


def _batches(run: StageContext) -> Iterator[tuple[TextBatch, Tensor]]:
    table, vision = run.table(), run.config.vision
    seen = torch.from_numpy(np.unique(run.dataset.before)).long()
    small = _small_pictures(run, seen, vision.image_size)
    place = torch.zeros(len(run.dataset.is_photo), dtype=torch.long)
    place[seen] = torch.arange(len(seen))
    truth = torch.from_numpy(run.dataset.truth).to(run.device)
    draw = TextSampler.of(run.dataset, run.seed, inventories=True)
    most = run.recipe.options.get("shift", 0)
    while True:
        drawn = draw.texts(run.recipe.batch_size)
        rows = torch.from_numpy(run.dataset.before[run.dataset.edit[drawn]]).long()
        pixels = normalised(shifted(small[place[rows].to(run.device)], most), vision.mean, vision.std)
        texts = table.texts(torch.from_numpy(drawn), pixels)
        yield texts, truth[rows.to(run.device)].long()
