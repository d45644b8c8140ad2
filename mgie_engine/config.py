"""The configuration of a model and where its files are. Imports no torch.

`ModelConfig` holds every number a model needs besides its weights: the `config.json` of our folder layout.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, cast, get_origin, get_type_hints

from conversations.settings import Sampler
from mgie_engine.errors import ModelError

FORMAT = "mgie-1"  # value of "format" in config.json of our layout
BUNDLED = Path(__file__).parent / "weights"


class Behaviour(StrEnum):
    """Which behaviour applies where the published code crashes or surprises (see docs/decisions.md)."""

    SERVING = "serving"  # well defined for every input
    RELEASE = "release"  # the same as the published code, for comparison with it


@dataclass(frozen=True, slots=True)
class LanguageSizes:
    """Sizes of a LLaMA; the defaults are the 7B with MGIE's vocabulary."""

    vocab_size: int = 32011  # with every added token; the visual tokens are the last rows
    hidden_size: int = 4096
    intermediate_size: int = 11008
    layers: int = 32
    heads: int = 32
    max_positions: int = 2048
    rms_norm_eps: float = 1e-6
    rope_theta: float = 10000.0


@dataclass(frozen=True, slots=True)
class VisionSizes:
    """Sizes of a CLIP vision tower; the defaults are ViT-L/14."""

    image_size: int = 224  # pixels per side
    patch_size: int = 14
    hidden_size: int = 1024
    intermediate_size: int = 4096
    layers: int = 24
    heads: int = 16
    hidden_act: str = "quick_gelu"
    layer_norm_eps: float = 1e-5
    projection_dim: int = 768
    select_layer: int = -2  # index into the hidden states; 0 is the embedding after the first norm
    mean: tuple[float, ...] = (0.48145466, 0.4578275, 0.40821073)
    std: tuple[float, ...] = (0.26862954, 0.26130258, 0.27577711)

    @property
    def tokens(self) -> int:
        """Number of patch tokens of one picture in the prompt."""
        return (self.image_size // self.patch_size) ** 2


@dataclass(frozen=True, slots=True)
class EditHeadSizes:
    """Sizes of the transformer from visual tokens to guidance."""

    visual_tokens: int = 8
    queries: int = 77
    width: int = 512
    encoder_layers: int = 4
    decoder_layers: int = 4
    heads: int = 4
    feedforward: int = 2048
    out_dim: int = 768


@dataclass(frozen=True, slots=True)
class NoiseSchedule:
    """The noise schedule, and what the U-Net predicts."""

    train_timesteps: int = 1000
    beta_start: float = 0.00085
    beta_end: float = 0.012
    beta_schedule: Literal["scaled_linear", "linear"] = "scaled_linear"
    prediction_type: Literal["epsilon", "v_prediction"] = "epsilon"
    rescale_betas_zero_snr: bool = False  # arXiv 2305.08891, algorithm 1
    spacing: Literal["linspace", "trailing"] = "linspace"


@dataclass(frozen=True, slots=True)
class Defaults:
    """A model's own settings, used where no override is set."""

    text_cfg: float = 7.5
    image_cfg: float = 1.5
    steps: int = 100
    sampler: Sampler = "euler_ancestral"
    seed: int | None = None  # None: a new one for every edit


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Everything about a model except its weights; the defaults are the released 7B."""

    name: str = "mgie-7b"
    language: LanguageSizes = field(default_factory=LanguageSizes)
    vision: VisionSizes = field(default_factory=VisionSizes)
    edit_head: EditHeadSizes = field(default_factory=EditHeadSizes)
    unet: Mapping[str, Any] = field(default_factory=dict)  # arguments of UNet2DConditionModel
    vae: Mapping[str, Any] = field(default_factory=dict)  # arguments of AutoencoderKL
    noise: NoiseSchedule = field(default_factory=NoiseSchedule)
    defaults: Defaults = field(default_factory=Defaults)
    picture_size: int = 512  # pixels per side the diffusion part was trained on
    max_new_tokens: int = 96
    no_repeat_ngram: int = 3  # no n-gram of this length twice, prompt included; 0 allows repeats
    history_turns: int = 0  # most earlier turns in the prompt
    guidance_rescale: float = 0.0  # arXiv 2305.08891 section 3.4; 0 is off, 1 is full
    refusal: str = ""  # start of an expressive instruction that declines the edit; "" if never trained
    preview: tuple[tuple[float, ...], ...] = ()  # latent → RGB rows: one per channel, then the offset

    @property
    def latent_channels(self) -> int:
        return int(self.vae["latent_channels"])

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
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise ModelError(f"config.json is not JSON: {error}.") from error
        if not isinstance(data, dict) or data.pop("format", None) != FORMAT:
            raise ModelError(f'config.json does not say "format": "{FORMAT}".')
        return cast("ModelConfig", _build(cls, data, "config.json"))


def _build(kind: type[Any], data: Any, where: str) -> Any:
    """A dataclass from JSON data, nested ones included; ModelError names an unknown or missing key."""
    if not isinstance(data, dict):
        raise ModelError(f"{where} should be an object, not {data!r}.")
    hints = get_type_hints(kind)
    if unknown := data.keys() - hints.keys():
        raise ModelError(f"{where} has the unknown key {min(unknown)!r}.")
    return kind(**{key: _value(hints[key], value, f"{where}: {key}") for key, value in data.items()})


def _value(hint: Any, value: Any, where: str) -> Any:
    if is_dataclass(hint):
        return _build(hint, value, where)  # type: ignore[arg-type]
    return _frozen(value) if get_origin(hint) is tuple else value


def _frozen(value: Any) -> Any:
    """Lists as tuples, all the way down."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


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


def read_text(file: Path) -> str:
    """The text of a model's file; ModelError if it is missing or not text."""
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ModelError(f"{file} is missing.") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} cannot be read: {error}.") from error


def read_json(file: Path) -> dict[str, Any]:
    """The object in a model's JSON file; ModelError if it is missing or damaged."""
    try:
        return dict(json.loads(read_text(file)))
    except (TypeError, ValueError) as error:
        raise ModelError(f"{file} is damaged: {error}.") from error
