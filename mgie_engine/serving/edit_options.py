"""Options of commands that make edits: settings, model and device; and the settings they resolve to."""

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from conversations.settings import (
    CHOICES,
    RANGES,
    SETTING_NAMES,
    EditSettings,
    SettingsOverride,
    checked,
    resolve,
)
from mgie_engine.cli_types import CommandParser
from mgie_engine.config import BUNDLED_MODEL, models_home
from mgie_engine.serving.loader import ModelChoice

if TYPE_CHECKING:
    from mgie_engine.config import Defaults


def settle(override: SettingsOverride, defaults: "Defaults", fresh_seed: int) -> EditSettings:
    """The override, with the model's defaults for what it leaves out; without any seed, `fresh_seed`."""
    bottom = SettingsOverride(**asdict(defaults))
    seed = SettingsOverride(seed=fresh_seed, keep="auto")
    return resolve(EditSettings(**bottom.merged_over(seed).explicit()), override)


def add_settings(parser: CommandParser) -> None:
    """Add an option for each setting of an edit."""

    def within(setting: str) -> str:
        low, high = RANGES[setting]
        return f"{low:g} to {high:.10g}"

    parser.add_argument("--seed", type=int, help=f"{within('seed')}; a fresh one if left out")
    parser.add_argument("--text-cfg", type=float, help=f"text guidance, {within('text_cfg')}")
    parser.add_argument("--image-cfg", type=float, help=f"image guidance, {within('image_cfg')}")
    parser.add_argument("--steps", type=int, help=f"denoising steps, {within('steps')}")
    parser.add_argument("--sampler", choices=CHOICES["sampler"])
    parser.add_argument("--keep", choices=CHOICES["keep"], help="how much of the original is put back")


def chosen_settings(arguments: argparse.Namespace) -> SettingsOverride:
    """What the options of `add_settings` say; SettingsRefused for a value out of range."""
    return checked(SettingsOverride(**{name: getattr(arguments, name, None) for name in SETTING_NAMES}))


def add_model(parser: CommandParser) -> None:
    """Add the options that choose a model and where it runs."""
    parser.add_argument("--model", help="a name or a folder; MGIE_MODEL or mgie-mini if left out")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1")
    parser.add_argument(
        "--memory",
        metavar="MODE",
        help="auto, fp32, mixed, fp16, bf16, int8, nf4, swap or offload; MGIE_MEMORY or auto if left out",
    )
    parser.add_argument(
        "--level",
        metavar="LEVEL",
        help="auto, exact, same or fast: how exactly is computed; MGIE_LEVEL or auto if left out",
    )
    parser.add_argument(
        "--framing",
        metavar="FRAMING",
        help="squeeze, crop or aspect: what of a picture is shown to it; MGIE_FRAMING or auto if left out",
    )
    parser.add_argument(
        "--threads", type=int, choices=range(1, 257), metavar="N", help="of the CPU; one per core if left out"
    )


def chosen_model(arguments: argparse.Namespace, environment: Mapping[str, str]) -> ModelChoice:
    """What the options of `add_model` say; the environment where they are silent."""
    model = arguments.model or environment.get("MGIE_MODEL") or BUNDLED_MODEL
    memory = arguments.memory or environment.get("MGIE_MEMORY") or "auto"
    level = arguments.level or environment.get("MGIE_LEVEL") or "auto"
    framing = arguments.framing or environment.get("MGIE_FRAMING") or "auto"
    home = models_home(environment)
    return ModelChoice(model, home, arguments.device, arguments.threads, memory, level, framing)
