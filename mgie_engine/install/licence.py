"""The terms of the published files: shown, and accepted once for all that lies in a home."""

import json
from collections.abc import Callable
from pathlib import Path

from mgie_engine.checkpoints.layout import LICENCE
from mgie_engine.errors import ModelError

NAME = "accepted-licences.json"
_MODEL = "mgie-7b"


def require_acceptance(
    home: Path, agreed: bool, show: Callable[[str], None], ask: Callable[[], str] | None
) -> None:
    """Show the terms and have them accepted, unless they were before.

    `ask` gets an answer; None: there is nobody to ask. ModelError if the terms are not accepted.
    """
    if is_accepted(home):
        return
    show(LICENCE)
    if not agreed:
        if ask is None:
            raise ModelError("Accept the terms above with --accept-license.")
        if ask().strip().lower() not in ("y", "yes"):
            raise ModelError("Nothing was fetched, because the terms were not accepted.")
    home.mkdir(parents=True, exist_ok=True)
    (home / NAME).write_text(json.dumps([_MODEL]) + "\n", encoding="utf-8")


def is_accepted(home: Path) -> bool:
    """Whether the terms were accepted before."""
    try:
        return _MODEL in json.loads((home / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
