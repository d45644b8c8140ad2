"""The files of a model's folder, as a stranger may have left them: regular ones of the expected names only.

Imports no torch.
"""

import json
import logging
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mgie_engine.errors import ModelError

MOST_TEXT_BYTES = 16 * 2**20  # of a configuration, an index or a vocabulary
META_WEIGHTS = re.compile(r"consolidated\.\d+\.pth")  # of LLaMA, as Meta hands it out
_SHARD = re.compile(r"(model|pytorch_model|diffusion_pytorch_model)(?:-(\d+)(?:-of-(\d+))?)?\.(\w+)")
_log = logging.getLogger(__name__)


def require_regular(file: Path, most_bytes: int | None = None) -> None:
    """ModelError unless it is a regular file of at most so many bytes: a pipe would never end."""
    try:
        found = file.stat()
    except FileNotFoundError as error:
        raise ModelError(f"{file} is missing.") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} cannot be read: {error}.") from error
    if not stat.S_ISREG(found.st_mode):
        raise ModelError(f"{file} is not a regular file.")
    if most_bytes is not None and found.st_size > most_bytes:
        raise ModelError(f"{file} has {found.st_size} bytes, and at most {most_bytes} are read.")


def read_text(file: Path) -> str:
    """The text of a model's file; ModelError if it is missing, too long or not text."""
    require_regular(file, MOST_TEXT_BYTES)
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} cannot be read: {error}.") from error


def read_json(file: Path) -> dict[str, Any]:
    """The object in a model's JSON file; ModelError if it is missing or damaged."""
    return parse_json(read_text(file), str(file))


def parse_json(text: str, where: str) -> dict[str, Any]:
    """The object in a text; ModelError if there is none."""
    try:
        data = json.loads(text)
    except RecursionError as error:
        raise ModelError(f"{where} is damaged: it is nested too deeply.") from error
    except ValueError as error:
        raise ModelError(f"{where} is not JSON: {error}.") from error
    if not isinstance(data, dict):
        raise ModelError(f"{where} should hold an object, not {type(data).__name__}.")
    return data


def is_weights(name: str) -> bool:
    """Whether a file of this name holds tensors, as training_args.bin does not."""
    shard = _SHARD.fullmatch(name)
    return bool(META_WEIGHTS.fullmatch(name) or (shard and shard[4] in ("safetensors", "bin")))


def shard_files(folder: Path, suffixes: Sequence[str] = (".safetensors", ".bin")) -> list[Path]:
    """The files that hold a folder's weights, of the first suffix that is there; none: no weights here.

    They are those an index names, else the one or the numbered ones of the usual names. Others are left out,
    which is logged. ModelError if one is missing.
    """
    for suffix in suffixes:
        if names := _named_by_index(folder, suffix) or _usual_names(folder, suffix):
            _warn_of_others(folder, suffix, names)
            files = [folder / name for name in names]
            for file in files:
                require_regular(file)
            return files
    return []


def _named_by_index(folder: Path, suffix: str) -> list[str]:
    for index in sorted(folder.glob(f"*{suffix}.index.json")):
        named = read_json(index).get("weight_map")
        if not isinstance(named, dict) or not all(isinstance(name, str) for name in named.values()):
            raise ModelError(f"{index} names no files.")
        names = sorted(set(named.values()))
        for name in names:
            if not name.endswith(suffix) or Path(name).name != name or not name.isprintable():
                raise ModelError(f"{index} names {name!r}, which is no {suffix} file of its folder.")
        return names
    return []


def _usual_names(folder: Path, suffix: str) -> list[str]:
    found = [match for file in folder.glob(f"*{suffix}") if (match := _SHARD.fullmatch(file.name))]
    if single := [match[0] for match in found if match[2] is None]:
        return sorted(single)[:1]
    numbers = {int(match[2]) for match in found}
    last = max([0, *numbers, *(int(match[3]) for match in found if match[3])])
    if last > len(numbers):
        first = next(number for number in range(1, last + 1) if number not in numbers)
        raise ModelError(f"{folder} lacks shard {first} of {last} of its {suffix} files.")
    return sorted(match[0] for match in found)


def _warn_of_others(folder: Path, suffix: str, names: Sequence[str]) -> None:
    for file in sorted(folder.glob(f"*{suffix}")):
        if file.name not in names:
            _log.warning("%s is none of the model's files and is not read.", ascii(str(file)))
