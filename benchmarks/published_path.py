"""The published demo's way to an edit, by the libraries it uses: transformers and diffusers."""

from typing import Any

import torch
from accelerate import init_empty_weights
from diffusers import (
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    StableDiffusionInstructPix2PixPipeline,
)
from PIL import Image
from transformers import LlamaForCausalLM

from mgie_engine.model.mgie import MGIE
from mgie_engine.preprocess import clip_pixels
from mgie_engine.text.prompting import Prompt


class PublishedPath:
    """One model's networks, driven by `generate` and by diffusers' pipeline."""

    def __init__(self, mgie: MGIE) -> None:
        self.mgie = mgie
        with init_empty_weights():
            self.llama: Any = LlamaForCausalLM(mgie.mllm.model.config)
        self.llama.model, self.llama.lm_head = mgie.mllm.model, mgie.mllm.lm_head
        noise = mgie.config.noise
        self._schedule = {
            "num_train_timesteps": noise.train_timesteps,
            "beta_start": noise.beta_start,
            "beta_end": noise.beta_end,
            "beta_schedule": noise.beta_schedule,
        }
        self._pipeline: Any = StableDiffusionInstructPix2PixPipeline(
            vae=mgie.vae,
            text_encoder=None,
            tokenizer=None,
            unet=mgie.unet,
            scheduler=EulerAncestralDiscreteScheduler(**self._schedule),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        self._pipeline.set_progress_bar_config(disable=True)

    @torch.inference_mode()
    def edit(self, picture: Image.Image, instruction: str, steps: int) -> Image.Image:
        """Read and paint; Euler ancestral from 50 steps on, else DPM++ 2M."""
        states = self._states(picture, instruction)
        guidance = self.mgie.guide(states).to(self.mgie.unet.dtype)
        kind = EulerAncestralDiscreteScheduler if steps >= 50 else DPMSolverMultistepScheduler
        self._pipeline.scheduler = kind(**self._schedule)
        made = self._pipeline(
            prompt_embeds=guidance,
            negative_prompt_embeds=self.mgie.null_guidance[None].to(guidance.dtype),
            image=picture,
            num_inference_steps=steps,
            guidance_scale=7.5,
            image_guidance_scale=1.5,
            generator=torch.Generator(self.mgie.device).manual_seed(7),
        )
        found: Image.Image = made.images[0]
        return found

    def _states(self, picture: Image.Image, instruction: str) -> torch.Tensor:
        """The states (1, 8, D) the edit head is given; where in the text is the same work anywhere."""
        prompter, mllm = self.mgie.reader.prompter, self.mgie.mllm
        ids = prompter.ids(Prompt(instruction))
        at = torch.tensor([ids.index(prompter.tokenizer.picture_start) + 1], device=self.mgie.device)
        known = torch.tensor([ids], device=self.mgie.device)
        pixels = clip_pixels(picture, self.mgie.config.vision)[None].to(self.mgie.device, self.mgie.dtype)
        made = self.llama.generate(
            input_ids=known,
            inputs_embeds=mllm.embed(known, mllm.patches(pixels), at),
            max_new_tokens=self.mgie.config.max_new_tokens,
            do_sample=False,
            no_repeat_ngram_size=self.mgie.config.no_repeat_ngram,
            output_hidden_states=True,
            return_dict_in_generate=True,
            pad_token_id=0,
            eos_token_id=prompter.tokenizer.end,
        )
        last = [step[-1][:, -1:] for step in made.hidden_states]
        return torch.cat(last, dim=1)[:, -len(prompter.tokenizer.visual) :]
