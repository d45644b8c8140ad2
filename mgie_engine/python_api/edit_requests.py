"""What a caller asks for, as the request that the engine takes. Imports no torch."""

import secrets
from collections.abc import Callable, Sequence
from typing import TypedDict

from conversations.intents.text_language import is_read
from conversations.settings import Keep, Sampler, SettingsOverride, checked
from mgie_engine.config import Defaults, ModelConfig
from mgie_engine.edits import EditRequest, Exchange, Progress
from mgie_engine.errors import RequestRefused
from mgie_engine.serving.edit_options import settle

OnProgress = Callable[[Progress], None]
_ENGLISH_NAMES = {"en": "English", "de": "German", "es": "Spanish"}


class EditOptions(TypedDict, total=False):
    """Settings of an edit; what is left out comes from the model, the seed from chance.

    The same picture, instruction, settings and seed give the same bytes on the same machine.
    """

    seed: int  # 0 to 2**32 - 1
    text_cfg: float  # text guidance scale, 1 to 20
    image_cfg: float  # image guidance scale, 0 to 5
    steps: int  # denoising steps, 1 to 200
    sampler: Sampler  # "euler_ancestral" or "dpmpp_2m"
    keep: Keep  # what is put back outside the edited area: "auto", "strict" or "off"


def build_request(
    png: bytes,
    instruction: str,
    options: EditOptions,
    defaults: Defaults,
    *,
    reading: str | None = None,
    history: Sequence[Exchange] = (),
    mask: bytes | None = None,
) -> EditRequest:
    """The request to edit a PNG. SettingsRefused, RequestRefused, and TypeError for an unknown option."""
    words = instruction.strip()
    if not words:
        raise RequestRefused("The instruction is empty: say what to change.")
    override = checked(SettingsOverride(**options))
    settings = settle(override, defaults, fresh_seed=secrets.randbelow(2**32))
    return EditRequest(png, words, settings, tuple(history), reading, mask)


def other_language(config: ModelConfig) -> RequestRefused:
    """The refusal of words in a language that the model does not read."""
    names = ", ".join(_ENGLISH_NAMES.get(code, code) for code in config.languages)
    return RequestRefused(f"{config.name} reads {names} only, so nothing was changed.")


def check_language(instruction: str, config: ModelConfig) -> None:
    """RequestRefused if the words are in a language that the model does not read; on doubt they pass."""
    if not is_read(instruction, config.languages):
        raise other_language(config)


def ignore(progress: Progress) -> None:
    """Progress that nobody follows."""
