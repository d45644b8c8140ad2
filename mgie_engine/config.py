"""The configuration of a model and where its files are. Imports no torch.

`ModelConfig` holds every number a model needs besides its weights: the `config.json` of our folder layout.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from conversations.settings import RANGES, Sampler
from mgie_engine.errors import ModelError
from mgie_engine.model_files import parse_json, read_text
from mgie_engine.model_ranges import (
    STRICT,
    Arguments,
    Colour,
    Layers,
    Length,
    Name,
    Rate,
    Real,
    Side,
    Text,
    Width,
)

FORMAT = "mgie-1"  # value of "format" in config.json of our layout
BUNDLED = Path(__file__).parent / "weights"
BUNDLED_MODEL = "mgie-mini"
LONGEST_SENTENCE = 400


class Behaviour(StrEnum):
    """Which behaviour applies where the published code crashes or surprises (see docs/decisions.md)."""

    SERVING = "serving"  # well defined for every input
    RELEASE = "release"  # the same as the published code, for comparison with it


@dataclass(frozen=True, slots=True)
class LanguageSizes:
    """Sizes of a LLaMA; the defaults are the 7B with MGIE's vocabulary."""

    __pydantic_config__ = STRICT

    vocab_size: Length = 32011  # with every added token; the visual tokens are the last rows
    hidden_size: Width = 4096
    intermediate_size: Width = 11008
    layers: Layers = 32
    heads: Width = 32
    max_positions: Length = 2048
    rms_norm_eps: Rate = 1e-6
    rope_theta: Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)] = 10000.0


@dataclass(frozen=True, slots=True)
class VisionSizes:
    """Sizes of a CLIP vision tower; the defaults are ViT-L/14."""

    __pydantic_config__ = STRICT

    image_size: Side = 224  # pixels per side
    patch_size: Side = 14
    hidden_size: Width = 1024
    intermediate_size: Width = 4096
    layers: Layers = 24
    heads: Width = 16
    hidden_act: Name = "quick_gelu"
    layer_norm_eps: Rate = 1e-5
    projection_dim: Width = 768
    select_layer: Annotated[
        int, Field(ge=-200, le=200)
    ] = -2  # of the hidden states; 0 follows the first norm
    mean: tuple[Real, Real, Real] = (0.48145466, 0.4578275, 0.40821073)
    std: tuple[Rate, Rate, Rate] = (0.26862954, 0.26130258, 0.27577711)

    @property
    def tokens(self) -> int:
        """Number of patch tokens of one picture in the prompt."""
        return (self.image_size // self.patch_size) ** 2


@dataclass(frozen=True, slots=True)
class EditHeadSizes:
    """Sizes of the transformer from visual tokens to guidance."""

    __pydantic_config__ = STRICT

    visual_tokens: Annotated[int, Field(ge=1, le=1024)] = 8
    queries: Annotated[int, Field(ge=1, le=4096)] = 77
    width: Width = 512
    encoder_layers: Annotated[int, Field(ge=0, le=100)] = 4
    decoder_layers: Annotated[int, Field(ge=0, le=100)] = 4
    heads: Width = 4
    feedforward: Width = 2048
    out_dim: Width = 768


@dataclass(frozen=True, slots=True)
class NoiseSchedule:
    """The noise schedule, and what the U-Net predicts."""

    __pydantic_config__ = STRICT

    train_timesteps: Annotated[int, Field(ge=2, le=100_000)] = 1000
    beta_start: Rate = 0.00085
    beta_end: Rate = 0.012
    beta_schedule: Literal["scaled_linear", "linear"] = "scaled_linear"
    prediction_type: Literal["epsilon", "v_prediction"] = "epsilon"
    rescale_betas_zero_snr: bool = False  # arXiv 2305.08891, algorithm 1
    spacing: Literal["linspace", "leading", "trailing"] = "linspace"  # of the timesteps of an edit
    steps_offset: Annotated[int, Field(ge=0, le=1000)] = 0  # added to timesteps; only with "leading"


def _range(setting: str) -> Any:
    low, high = RANGES[setting]
    return Field(ge=low, le=high, allow_inf_nan=False) if setting.endswith("cfg") else Field(ge=low, le=high)


@dataclass(frozen=True, slots=True)
class Defaults:
    """A model's own settings, used where no override is set."""

    __pydantic_config__ = STRICT

    text_cfg: Annotated[float, _range("text_cfg")] = 7.5
    image_cfg: Annotated[float, _range("image_cfg")] = 1.5
    steps: Annotated[int, _range("steps")] = 100
    sampler: Sampler = "euler_ancestral"
    seed: Annotated[int, _range("seed")] | None = None  # None: a new one for every edit


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Everything about a model except its weights; the defaults are the released 7B."""

    __pydantic_config__ = STRICT

    name: Name = "mgie-7b"
    language: LanguageSizes = field(default_factory=LanguageSizes)
    vision: VisionSizes = field(default_factory=VisionSizes)
    edit_head: EditHeadSizes = field(default_factory=EditHeadSizes)
    unet: Arguments = field(default_factory=dict)  # arguments of UNet2DConditionModel
    vae: Arguments = field(default_factory=dict)  # arguments of AutoencoderKL
    noise: NoiseSchedule = field(default_factory=NoiseSchedule)
    defaults: Defaults = field(default_factory=Defaults)
    picture_size: Side = 512  # pixels per side the diffusion part was trained on
    max_new_tokens: Annotated[int, Field(ge=1, le=4096)] = 96
    no_repeat_ngram: Annotated[int, Field(ge=0, le=100)] = 3  # no n-gram twice; 0 allows repeats
    history_turns: Annotated[int, Field(ge=0, le=100)] = 0  # most earlier turns in the prompt
    guidance_rescale: Annotated[float, Field(ge=0, le=1)] = 0.0  # arXiv 2305.08891 section 3.4; 1 is full
    languages: Annotated[tuple[Name, ...], Field(max_length=100)] = ("en",)  # ISO 639-1, that it reads
    refusal: Text = ""  # start of an expressive instruction that declines the edit; "" if never trained
    whole_picture: Text = (
        ""  # start of one that changes the light or colour of all of it; "" if never trained
    )
    regions: Annotated[tuple[Name, ...], Field(max_length=100)] = ()  # parts of a picture that it can address
    things: Annotated[tuple[Name, ...], Field(max_length=100)] = ()  # what its readings call drawn things
    corrects_typos: bool = False  # whether mistyped words are corrected before it reads
    ask_below: Annotated[float, Field(ge=0, le=1)] = 0.0  # a less sure reading is asked about; 0 never asks
    ask_below_intricate: Annotated[float, Field(ge=0, le=1)] = 0.0  # the same for intricate ones, if more
    # latent → RGB rows: one per channel, then the offset
    preview: Annotated[tuple[Colour, ...], Field(max_length=257)] = ()

    @property
    def latent_channels(self) -> int:
        return int(self.vae.get("latent_channels", 4))

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the latents of a picture of the model's size."""
        side = self.picture_size // 2 ** (len(self.vae["block_out_channels"]) - 1)
        return self.latent_channels, side, side

    @property
    def side_multiple(self) -> int:
        """What both sides of a picture must be multiples of: every halving of the VAE and the U-Net."""
        halvings = len(self.vae["block_out_channels"]) + len(self.unet["block_out_channels"]) - 2
        return int(2**halvings)

    @property
    def latent_scale(self) -> float:
        """Factor on the VAE's latents before noise is added."""
        return float(self.vae.get("scaling_factor", 0.18215))

    def to_json(self) -> str:
        """This configuration as the text of a config.json."""
        return json.dumps({"format": FORMAT} | asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "ModelConfig":
        """Parse a config.json; ModelError names the fault."""
        data = parse_json(text, "config.json")
        if data.pop("format", None) != FORMAT:
            raise ModelError(f'config.json does not say "format": "{FORMAT}".')
        return _validated(json.dumps(data), "config.json")

    def validated(self, where: str) -> "ModelConfig":
        """The same; ModelError if a value has another type or is out of its range."""
        return _validated(json.dumps(asdict(self)), where)


def _validated(text: str, where: str) -> ModelConfig:
    """The configuration in a JSON text; ModelError names the first value at fault."""
    try:
        return _validator().validate_json(text)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        *path, last = (where, *map(str, fault["loc"]))
        match fault["type"]:
            case "unexpected_keyword_argument":
                sentence = f"{': '.join(path)} has the unknown key {last!r}."
            case "dataclass_type" | "dict_type" | "mapping_type":
                sentence = f"{': '.join((*path, last))} should be an object."
            case _:
                sentence = f"{': '.join((*path, last))} is out of range or of another type: {fault['msg']}."
        raise ModelError(sentence[:LONGEST_SENTENCE]) from error


@cache
def _validator() -> TypeAdapter[ModelConfig]:
    return TypeAdapter(ModelConfig)


@dataclass(frozen=True, slots=True)
class ModelLocation:
    """The folder of a model, and its layout."""

    name: str
    folder: Path
    layout: Literal["ours", "released"]


def models_home(environment: Mapping[str, str]) -> Path:
    """The folder of models that are not bundled: MGIE_HOME, or ~/.cache/mgie."""
    return Path(environment.get("MGIE_HOME") or "~/.cache/mgie").expanduser()


def resolve_model(name_or_folder: str, home: Path | None = None) -> ModelLocation:
    """Find a model: "mgie-mini" (bundled), another name below `home`, or a folder.

    A folder with our config.json is ours; one with mgie_7b/mllm.pt is the released layout.
    ModelError lists the folders that were searched.
    """
    places = [BUNDLED / name_or_folder, *([home / name_or_folder] if home else []), Path(name_or_folder)]
    for folder in places:
        if (folder / "config.json").is_file():
            return ModelLocation(folder.resolve().name, folder, "ours")
        if (folder / "mgie_7b" / "mllm.pt").is_file():
            return ModelLocation(folder.resolve().name, folder, "released")
    looked = ", ".join(str(place) for place in places)
    raise ModelError(f"No model {name_or_folder!r}: looked for config.json or mgie_7b/mllm.pt in {looked}.")


def read_config(location: ModelLocation) -> ModelConfig:
    """The configuration of a model, without reading its weights; the defaults for published files.

    ModelError if config.json is missing or damaged.
    """
    if location.layout == "released":
        return ModelConfig(name=location.name)
    return ModelConfig.from_json(read_text(location.folder / "config.json"))
