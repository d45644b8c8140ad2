"""MGIE whole: read the instruction, encode the picture, denoise, decode. Keeps no state."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar, cast

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from PIL import Image
from torch import Tensor

from conversations.messages import Message
from mgie_engine.config import Behaviour, ModelConfig
from mgie_engine.model.diffusion import condition_latents, rescale, to_x0
from mgie_engine.model.edit_head import EditHead
from mgie_engine.model.finite import decode_finite
from mgie_engine.model.instruction import Reader, Thinking
from mgie_engine.model.mllm import MLLM
from mgie_engine.model.preview import preview
from mgie_engine.preprocess import clip_pixels, stack_vae_pixels, to_pictures
from mgie_engine.text.prompting import Prompt, Prompter
from mgie_engine.text.tokenizer import Tokenizer

NEITHER, IMAGE, BOTH = range(3)  # the branches of guidance: unconditional, picture, picture and instruction


@dataclass(frozen=True, slots=True)
class Reading:
    """How an instruction was understood."""

    expressive: str  # for people
    raw: str  # as the model wrote it, special tokens included
    guidance: Tensor  # (77, D), for the U-Net
    notes: tuple[Message, ...] = ()
    confidence: float | None = None  # see `Thought`
    others: tuple[str, ...] = ()  # other ways to understand it, the likeliest first


class NoisyBatch(NamedTuple):
    """The next denoising step of B edits, each at its own noise level and with its own scales."""

    latents: Tensor  # (B, C, h, w), x0 + sigma · noise
    sigmas: Tensor  # (B,)
    timesteps: Tensor  # (B,)
    guidance: Tensor  # (B, 77, D)
    image_latents: Tensor  # (B, C, h, w)
    text_cfg: Tensor  # (B,), on the CPU: which branches are needed is decided there
    image_cfg: Tensor  # (B,), on the CPU


@dataclass(frozen=True, slots=True)
class Denoised:
    """One look of the U-Net at B pictures."""

    x0: Tensor  # (B, C, h, w), the clean latents as guessed now
    relevance: Tensor  # (B, h, w), how much the instruction changes the prediction at each place


class MGIE:
    """The networks of one model on one device."""

    def __init__(
        self,
        config: ModelConfig,
        tokenizer: Tokenizer,
        mllm: MLLM,
        edit_head: EditHead,
        unet: UNet2DConditionModel,
        vae: AutoencoderKL,
        visual_embeddings: Tensor | None = None,
        behaviour: Behaviour = Behaviour.SERVING,
    ) -> None:
        """`visual_embeddings` (1, 8, D) are the edit head's, if they differ from the rows of the table."""
        self.config, self.tokenizer, self.behaviour = config, tokenizer, behaviour
        self.mllm, self.edit_head, self.unet, self.vae = mllm, edit_head, unet, vae
        prompter = Prompter(tokenizer, config.vision.tokens, config.history_turns, behaviour)
        self.reader = Reader(mllm, prompter, config)
        own = mllm.visual_embeddings if visual_embeddings is None else visual_embeddings
        self.visual_embeddings = own.detach()
        with torch.no_grad():
            self.null_guidance = edit_head.null(self.visual_embeddings)[0].float()  # (77, D)

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return self.null_guidance.device

    @property
    def dtype(self) -> torch.dtype:
        """What the language half computes in, mostly U-Net and VAE too; latents are fp32 throughout."""
        return self.visual_embeddings.dtype

    def read(self, pictures: Sequence[Image.Image], prompts: Sequence[Prompt]) -> list[Reading]:
        """Read every prompt with its picture, side by side. Errors as `reading`."""
        return finish(self._reading(pictures, prompts))

    def reading(self, picture: Image.Image, prompt: Prompt) -> Generator[None, None, Reading]:
        """Read one prompt, yielding after every token so that the caller may do other work or stop.

        RequestRefused if the instruction is too long; ValueError or IndexError where the release crashes.
        """
        return (yield from self._reading([picture], [prompt]))[0]

    @torch.inference_mode()
    def think(self, pixels: Tensor, prompts: Sequence[Prompt]) -> Thinking:
        """The language half of reading, on normalised pixels (B, 3, H, W)."""
        pixels = pixels.to(self.device, self.dtype)
        if self.behaviour is Behaviour.RELEASE:
            return (yield from self.reader.read_as_release(pixels, prompts))
        return (yield from self.reader.read(pixels, prompts))

    @torch.inference_mode()
    def guide(self, states: Tensor) -> Tensor:
        """Guidance (B, 77, D) of the states (B, 8, hidden) that predict the visual tokens."""
        return cast(Tensor, self.edit_head(states, self.visual_embeddings)).float()

    @torch.inference_mode()
    def encode(self, pictures: Sequence[Image.Image]) -> Tensor:
        """Condition latents (B, C, h, w) of pictures of one size, both sides multiples of 8; unscaled."""
        pixels = stack_vae_pixels(pictures).to(self.device, self.vae.dtype)
        return condition_latents(self.vae, pixels).float()

    @torch.inference_mode()
    def denoise(self, batch: NoisyBatch) -> Denoised:
        """Guess the clean latents of B pictures.

        Branches of weight 0 are not computed, but the picture's always is in serving, because the relevance
        is measured against it; where it was not, the relevance is 0.
        """
        batch = batch._replace(sigmas=batch.sigmas.to(self.device))
        weights = branch_weights(batch.text_cfg.cpu(), batch.image_cfg.cpu(), self.behaviour)  # (B, 3)
        needed = weights != 0
        if self.behaviour is Behaviour.SERVING:
            needed[:, IMAGE:] = True
        rows, branches = needed.nonzero(as_tuple=True)
        found = self._predict(batch, rows, branches)
        mixed = (weights.to(self.device)[..., None, None, None] * found).sum(1)
        guided = rescale(mixed, found[:, BOTH], self.config.guidance_rescale)
        relevance = (found[:, BOTH] - found[:, IMAGE]).abs().mean(1)
        known = needed[:, IMAGE].to(self.device)[:, None, None]
        return Denoised(to_x0(guided, batch.latents, batch.sigmas, self.config.noise), relevance * known)

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> list[Image.Image]:
        """The pictures of clean, scaled latents (B, C, h, w). NotFinite if they overflow in fp32, too."""
        unscaled = (latents / self.config.latent_scale).to(self.device)
        return to_pictures(decode_finite(self.vae, unscaled))

    def preview(self, x0: Tensor) -> Image.Image:
        """A small, quick look at clean latents (C, h, w), without the VAE. NotFinite if they are not."""
        return preview(x0, self.config.preview)

    def _reading(
        self, pictures: Sequence[Image.Image], prompts: Sequence[Prompt]
    ) -> Generator[None, None, list[Reading]]:
        pixels = torch.stack([clip_pixels(picture, self.config.vision) for picture in pictures])
        thoughts = yield from self.think(pixels, prompts)
        guidance = self.guide(torch.stack([thought.states for thought in thoughts]))
        raw = [self.tokenizer.decode(thought.ids) for thought in thoughts]
        texts = [thought.expressive for thought in thoughts]
        if self.behaviour is Behaviour.RELEASE:
            texts = [self.reader.release_text(p, t) for p, t in zip(prompts, thoughts, strict=True)]
        return [
            Reading(text, written, guided, thought.notes, thought.confidence, thought.others)
            for text, written, guided, thought in zip(texts, raw, guidance, thoughts, strict=True)
        ]

    def _predict(self, batch: NoisyBatch, rows: Tensor, branches: Tensor) -> Tensor:
        """Predictions (B, 3, C, h, w) of the branches asked for, in one call; the others stay 0."""
        latents, spread = batch.latents, (batch.sigmas**2 + 1).sqrt()[:, None, None, None]
        rows, branches = rows.to(self.device), branches.to(self.device)
        sees, reads = (branches != NEITHER)[:, None, None, None], (branches == BOTH)[:, None, None]
        condition = torch.where(sees, batch.image_latents[rows], 0.0)
        words = torch.where(reads, batch.guidance[rows], self.null_guidance)
        inputs = torch.cat([(latents / spread)[rows], condition], dim=1).to(self.unet.dtype)
        times = batch.timesteps.to(self.device)[rows]
        predicted = self.unet(inputs, times, encoder_hidden_states=words.to(self.unet.dtype)).sample
        found = latents.new_zeros(len(latents), 3, *latents.shape[1:])
        found[rows, branches] = predicted.to(found.dtype)
        return found


def branch_weights(text_cfg: Tensor, image_cfg: Tensor, behaviour: Behaviour) -> Tensor:
    """The share (B, 3) of each branch in the guided prediction (arXiv 2211.09800, eq. 3); they sum to 1.

    The release guides only if text_cfg > 1 and image_cfg >= 1; else it takes the conditional branch alone.
    """
    weights = torch.stack([1 - image_cfg, image_cfg - text_cfg, text_cfg], dim=1).float()
    if behaviour is Behaviour.SERVING:
        return weights
    guided = (text_cfg > 1) & (image_cfg >= 1)
    return torch.where(guided[:, None], weights, torch.tensor([0.0, 0.0, 1.0]))


T = TypeVar("T")


def finish(steps: Generator[None, None, T]) -> T:
    """Run a generator to its end."""
    while True:
        try:
            next(steps)
        except StopIteration as over:
            return cast("T", over.value)
