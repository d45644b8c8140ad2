"""The training objective of MGIE: write the expressive instruction, and generate the goal.

total = instruction + 0.5 · edit: `instruction` is the next-token loss of the supervised tokens, `edit` the
denoising loss of the U-Net under guidance from the states that predict the visual tokens.
Every random draw comes in as an argument.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from torch import Tensor

from mgie_engine.config import Behaviour, NoiseSchedule
from mgie_engine.model.diffusion import add_noise
from mgie_engine.model.edit_head import EditHead
from mgie_engine.model.mllm import MLLM
from mgie_engine.text.prompting import IGNORED, Example, picture_start
from mgie_engine.text.tokenizer import Tokenizer

EDIT_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class TextBatch:
    """B right-padded rows of L tokens with their pictures."""

    ids: Tensor  # (B, L)
    labels: Tensor  # (B, L), IGNORED where not supervised
    real: Tensor  # (B, L), False at padding
    picture_at: Tensor  # (B,) place of the first patch
    states_at: Tensor  # (B,) place of the state that predicts [IMG0]
    pixels: Tensor  # (B, 3, H, W) for the CLIP tower


@dataclass(frozen=True, slots=True)
class LatentBatch:
    """B goals to denoise, with the random draws of this step."""

    goal: Tensor  # (B, C, h, w) scaled latents
    condition: Tensor  # (B, C, h, w) unscaled latents of the input picture
    noise: Tensor  # (B, C, h, w) standard normal
    timesteps: Tensor  # (B,) int64
    drop: Tensor  # (B,) uniform in 0…1: decides which conditions of this item are dropped
    weight: Tensor | None = None  # (B, 1, h, w) or None: weight of each latent pixel's error


@dataclass(frozen=True, slots=True)
class Losses:
    total: Tensor
    instruction: Tensor
    edit: Tensor


@dataclass(frozen=True, slots=True)
class LanguageOutput:
    """The output of the language half: its loss and the states (B, 8, D) that predict the visual tokens."""

    loss: Tensor
    states: Tensor


@dataclass(frozen=True, slots=True)
class DenoisingOutput:
    """One U-Net pass of training, with its intermediate values for tests."""

    loss: Tensor
    inputs: Tensor  # (B, 2C, h, w)
    guidance: Tensor  # (B, 77, out) after dropout
    prediction: Tensor  # (B, C, h, w)


def collate_texts(
    examples: Sequence[Example], pixels: Tensor, tokenizer: Tokenizer, image_tokens: int
) -> TextBatch:
    """A batch on the CPU of examples and the pixels (B, 3, H, W) of their pictures.

    ValueError for an example without exactly one picture.
    """
    padding = tokenizer.unknown
    ids = _padded([example.ids for example in examples], padding)
    labels = _padded([example.labels for example in examples], IGNORED)
    picture_at = torch.tensor([picture_start(e.ids, tokenizer, image_tokens) for e in examples])
    at = states_at(labels, tokenizer.visual[0], len(tokenizer.visual))
    return TextBatch(ids, labels, ids != padding, picture_at, at, pixels)


def states_at(labels: Tensor, first_visual: int, visual_tokens: int) -> Tensor:
    """Where (B,) the states that predict the visual tokens begin, by labels (B, L).

    One before the first supervised [IMG0]; a row without any takes the last place that leaves room for them.
    """
    latest = labels.shape[1] - visual_tokens - 1
    is_first = labels == first_visual
    before = torch.where(is_first.any(1), is_first.int().argmax(1) - 1, latest)
    return before.clamp(max=latest)


def _padded(rows: Sequence[list[int]], padding: int) -> Tensor:
    longest = max(map(len, rows))
    return torch.tensor([row + [padding] * (longest - len(row)) for row in rows])


def training_loss(
    mllm: MLLM,
    edit_head: EditHead,
    unet: UNet2DConditionModel,
    texts: TextBatch,
    paintings: LatentBatch,
    schedule: NoiseSchedule,
    alphas: Tensor,
    behaviour: Behaviour = Behaviour.SERVING,
) -> Losses:
    """Both losses of one batch, end to end; `alphas` is `alphas_cumprod(schedule)` on the batch's device."""
    understood = understand(mllm, texts, behaviour)
    embeddings = mllm.visual_embeddings
    guidance, null = edit_head(understood.states, embeddings), edit_head.null(embeddings)
    edit = denoising(unet, guidance, null, paintings, schedule, alphas).loss
    return Losses(understood.loss + EDIT_WEIGHT * edit, understood.loss, edit)


def understand(mllm: MLLM, texts: TextBatch, behaviour: Behaviour = Behaviour.SERVING) -> LanguageOutput:
    """Teacher-forced pass over whole rows."""
    states = mllm(texts.ids, texts.pixels, texts.picture_at, texts.real)  # (B, L, D)
    loss = next_token_loss(mllm.lm_head(states), texts.labels, behaviour)
    places = texts.states_at[:, None] + torch.arange(mllm.visual_tokens, device=states.device)  # (B, 8)
    chosen = states.gather(1, places[..., None].expand(-1, -1, states.shape[-1]))
    return LanguageOutput(loss, chosen)


def next_token_loss(scores: Tensor, labels: Tensor, behaviour: Behaviour = Behaviour.SERVING) -> Tensor:
    """Cross entropy of scores (B, L, V) against the next label, mean over the batch's supervised tokens.

    A batch without any is 0, or NaN as the release has it.
    """
    flat = scores[:, :-1].flatten(0, 1).float()
    wanted = labels[:, 1:].flatten()
    if behaviour is Behaviour.RELEASE:
        return F.cross_entropy(flat, wanted, ignore_index=IGNORED)
    summed = F.cross_entropy(flat, wanted, ignore_index=IGNORED, reduction="sum")
    return summed / (wanted != IGNORED).sum().clamp(min=1)


def denoising(
    unet: UNet2DConditionModel,
    guidance: Tensor,
    null: Tensor,
    paintings: LatentBatch,
    schedule: NoiseSchedule,
    alphas: Tensor,
) -> DenoisingOutput:
    """The U-Net's loss under guidance (B, 77, out); null (1, 77, out) takes its place where it is dropped."""
    noised = add_noise(schedule, alphas, paintings.goal, paintings.noise, paintings.timesteps)
    kept_guidance, kept_condition = drop_conditions(paintings.drop, guidance, null, paintings.condition)
    inputs = torch.cat([noised.latents, kept_condition], dim=1)
    prediction = unet(inputs, paintings.timesteps, encoder_hidden_states=kept_guidance).sample
    error = F.mse_loss(prediction.float(), noised.target.float(), reduction="none")
    loss = error.mean() if paintings.weight is None else (error * paintings.weight).mean()
    return DenoisingOutput(loss, inputs, kept_guidance, prediction)


def drop_conditions(draw: Tensor, guidance: Tensor, null: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
    """By one draw per item: no guidance below 0.10, no picture in 0.05…0.15 (5 % each, 5 % both)."""
    without_text = (draw < 0.10).view(-1, 1, 1)
    without_picture = ((draw >= 0.05) & (draw < 0.15)).view(-1, 1, 1, 1)
    dropped = torch.where(without_text, null.to(guidance.dtype), guidance)
    return dropped, condition.masked_fill(without_picture, 0.0)
