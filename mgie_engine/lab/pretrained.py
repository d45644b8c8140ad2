"""Models of transformers and diffusers that others publish: from a folder, or from the hub at one commit."""

import re
from pathlib import Path
from typing import Any

from mgie_engine.checkpoints.layout import REVISIONS
from mgie_engine.errors import ModelError

PINNED = REVISIONS | {
    "openai/clip-vit-base-patch32": "3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268",
    "facebook/dino-vits16": "abe3b354cb6a9b6f146096b14a4a9d7eecbcb4bd",
}
WHERE = "a folder, or OWNER/NAME@COMMIT of the hub"
_COMMIT = re.compile(r"[0-9a-f]{40}")


def load_pretrained(what: str, kind: Any, name: str, **options: Any) -> Any:
    """`kind.from_pretrained` of a folder, of a name in PINNED, or of "OWNER/NAME@COMMIT".

    ModelError if it is not there or cannot be read, or if no commit is known: what the hub gives for a name
    alone may be another model tomorrow. `what`: the model's part, for the error.
    """
    hub, revision = _pinned(what, name)
    try:
        return kind.from_pretrained(hub, revision=revision, **options)
    except (OSError, ValueError) as error:
        raise ModelError(f"{what} {name!r} cannot be loaded: {error}") from error


def _pinned(what: str, name: str) -> tuple[str, str | None]:
    if Path(name).is_dir():
        return name, None
    hub, _, commit = name.rpartition("@") if "@" in name else (name, "", PINNED.get(name, ""))
    if not _COMMIT.fullmatch(commit):
        example = f"{hub}@COMMIT" if "/" in hub.strip("/") else "OWNER/NAME@COMMIT"
        raise ModelError(
            f"{what} {name!r} is no folder; for one of the hub, name its commit: {example}, 40 hex digits."
        )
    return hub, commit
