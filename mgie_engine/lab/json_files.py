"""JSON files of a run's folder: read them, and make sure that a folder holds the work of one config."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conversations.atomic_write import write_atomically
from mgie_engine.errors import DataError


def read_json(file: Path) -> Any:
    """The data of a JSON file; DataError if it is missing or damaged."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{file} cannot be read: {error}") from error


def require_same_config(file: Path, config: Mapping[str, Any]) -> None:
    """Write the configuration of a folder's work; DataError if the work began with another one."""
    if not file.exists():
        write_atomically(file, (json.dumps(config, indent=2) + "\n").encode())
    elif (before := read_json(file)) != config:
        raise DataError(f"{file.parent} was begun with {before}; go on with these or choose another folder.")
