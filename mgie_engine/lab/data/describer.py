"""LLaVA describes what a picture will be like after an edit: the release's way to its training texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from accelerate import init_empty_weights
from PIL import Image
from torch import Tensor
from transformers import CLIPVisionModel

from conversations.llava.templates import template
from mgie_engine.checkpoints.mgie7b import language_sizes, vision_sizes
from mgie_engine.checkpoints.tensors import read_tensors
from mgie_engine.config import LanguageSizes, ModelConfig, VisionSizes
from mgie_engine.errors import ModelError
from mgie_engine.lab.json_files import read_json
from mgie_engine.lab.pretrained import load_pretrained
from mgie_engine.model.greedy import Rows, WritingRules, write
from mgie_engine.model.mgie import finish
from mgie_engine.model.mllm import MLLM
from mgie_engine.preprocess import clip_pixels
from mgie_engine.text.cleanup import remove_alter
from mgie_engine.text.prompting import TEMPLATE, picture_start, question
from mgie_engine.text.tokenizer import END, PATCH, START, Tokenizer

if TYPE_CHECKING:
    from mgie_engine.model.mgie import MGIE

_MANNER = "  (in a short paragraph)"  # two spaces, as in the release


@dataclass(frozen=True)
class Llava:
    """A multimodal language model that answers about edits."""

    name: str
    mllm: MLLM
    tokenizer: Tokenizer
    sizes: LanguageSizes
    vision: VisionSizes
    limit: int = 1024  # tokens of an answer

    @torch.inference_mode()
    def describe(self, pictures: Sequence[Image.Image], instructions: Sequence[str]) -> list[str]:
        """Two sentences about each picture after its edit; greedy decoding, repeats allowed.

        An empty answer becomes the instruction (the published code crashes there).
        """
        table = self.mllm.model.embed_tokens.weight  # never quantised
        pixels = torch.stack([clip_pixels(picture, self.vision) for picture in pictures])
        prompts = [self.tokenizer.encode(self.prompt(instruction)) for instruction in instructions]
        limit = min(self.limit, self.sizes.max_positions - max(map(len, prompts)))
        if limit <= 0:
            raise ModelError(f"The model {self.name} has no room to answer: its prompts are too long for it.")
        starts = [picture_start(ids, self.tokenizer, self.vision.tokens) for ids in prompts]
        rows = Rows(self.mllm, prompts, pixels.to(table.device, table.dtype), starts)
        written = finish(write(rows, WritingRules(limit, frozenset({self.tokenizer.end}), no_repeat_ngram=0)))
        texts = (self._text([choice.token for choice in choices]) for choices in written)
        return [text or asked for text, asked in zip(texts, instructions, strict=True)]

    def prompt(self, instruction: str) -> str:
        """What the model is asked."""
        talk = template(TEMPLATE)
        picture = "\n" + START + PATCH * self.vision.tokens + END
        talk.append_message(talk.roles[0], question(self.tokenizer.shield(instruction)) + _MANNER + picture)
        talk.append_message(talk.roles[1], None)
        return talk.get_prompt()

    def _text(self, ids: Sequence[int]) -> str:
        try:
            return remove_alter("ASSISTANT:" + self.tokenizer.decode(ids))
        except IndexError:
            return ""


def of_mgie(model: "MGIE") -> Llava:
    """The language half of a whole MGIE."""
    config = model.config
    return Llava(config.name, model.mllm, model.tokenizer, config.language, config.vision)


def load_llava(folder: Path, clip: str | None, device: str, dtype: torch.dtype) -> Llava:
    """LLaVA from its published folder. `clip` names its CLIP tower, as for `load_pretrained`.

    Without it, the tower named in the folder's config.json is loaded. ModelError names what is missing.
    """
    config = read_json(folder / "config.json")
    tower = _tower(clip or config.get("mm_vision_tower"))
    language, vision = language_sizes(config), vision_sizes(tower.config.to_dict(), config)
    with init_empty_weights(include_buffers=False):
        mllm = MLLM(ModelConfig(language=language, vision=vision))
    _fill(mllm, folder)
    mllm.clip = tower
    mllm.to(device=device, dtype=dtype).eval().requires_grad_(False)
    tokenizer = Tokenizer.read(folder, visual_tokens=0)
    return Llava(folder.resolve().name, mllm, tokenizer, language, vision)


def _fill(mllm: MLLM, folder: Path) -> None:
    """Give everything but the tower its weights."""
    files = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin"))
    tensors = {_ours(name): tensor for name, tensor in read_tensors(files).items()}
    wanted: dict[str, Tensor] = mllm.state_dict()
    for name, place in wanted.items():
        if not name.startswith("clip.") and (name not in tensors or tensors[name].shape != place.shape):
            raise ModelError(f"{folder} has no tensor for {name} of shape {list(place.shape)}.")
    mllm.load_state_dict({n: t for n, t in tensors.items() if n in wanted}, strict=False, assign=True)


def _ours(name: str) -> str:
    return name.removeprefix("model.") if name.startswith("model.mm_projector.") else name


def _tower(name: str | None) -> CLIPVisionModel:
    if name is None:
        raise ModelError("The folder of LLaVA names no CLIP tower; name one.")
    tower: CLIPVisionModel = load_pretrained("The CLIP tower", CLIPVisionModel, name)
    return tower
