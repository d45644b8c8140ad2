"""Shows the terms of the published files, which are accepted once per MGIE_HOME."""

import json
from collections.abc import Callable
from pathlib import Path

from conversations.atomic_write import write_atomically
from mgie_engine.checkpoints.layout import LICENCE
from mgie_engine.errors import ModelError

NAME = "accepted-licences.json"
_MODEL = "mgie-7b"


def require_acceptance(
    home: Path, agreed: bool, show: Callable[[str], None], ask: Callable[[], str] | None
) -> None:
    """Show the terms and ask for acceptance, unless they were accepted before.

    agreed: accepted on the command line. ask: prompts the user; None without a terminal. ModelError if the
    terms are not accepted.
    """
    if is_accepted(home):
        return
    show(LICENCE)
    if not agreed:
        if ask is None:
            raise ModelError("Accept the terms above with --accept-license.")
        if ask().strip().lower() not in ("y", "yes"):
            raise ModelError("Nothing was fetched, because the terms were not accepted.")
    write_atomically(home / NAME, f"{json.dumps([_MODEL])}\n".encode())


def is_accepted(home: Path) -> bool:
    """Whether the terms were accepted before."""
    try:
        return _MODEL in json.loads((home / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
