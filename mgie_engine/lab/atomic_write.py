"""Work that may be stopped at any moment: files are whole or not there, a folder has one plan."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mgie_engine.errors import DataError
from mgie_engine.lab.data.public_datasets import read_json


def write_whole(file: Path, data: bytes) -> None:
    """Write a file such that it never exists in part."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(file.name + ".part")
    with unfinished.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(file)


def agree(file: Path, plan: Mapping[str, Any]) -> None:
    """Write the plan of a folder's work down; DataError if another one was followed before."""
    if not file.exists():
        write_whole(file, (json.dumps(plan, indent=2) + "\n").encode())
    elif (before := read_json(file)) != plan:
        raise DataError(f"{file.parent} was begun with {before}; go on with these or choose another folder.")
