"""Reads what Discord sends as JSON, whichever JSON libraries are installed.

discord.py reads it with orjson where that is installed. orjson refuses a whole frame for half of a surrogate
pair, and the error ends the bot; other libraries give text that can neither be stored nor sent.
"""

import json
import re
from typing import Any

from discord import utils

_ESCAPED = re.compile(r"\\u[dD][89a-fA-F]")


def use_own_reader() -> None:
    """Let discord.py read JSON with `read_json`, in this whole process."""
    utils._from_json = read_json


def read_json(text: str) -> Any:
    """What `text` says, with U+FFFD for every half of a surrogate pair; ValueError if it is no JSON."""
    said = json.loads(text)
    return _without_halves(said) if _ESCAPED.search(text) else said


def _without_halves(said: Any) -> Any:
    if isinstance(said, str):
        return said.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(said, list):
        return [_without_halves(each) for each in said]
    if isinstance(said, dict):
        return {_without_halves(name): _without_halves(each) for name, each in said.items()}
    return said
