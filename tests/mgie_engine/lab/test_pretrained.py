"""Models of the hub are loaded at one commit, or not at all."""

from pathlib import Path
from typing import Any

import pytest

from mgie_engine.errors import ModelError
from mgie_engine.lab.pretrained import PINNED, load_pretrained

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Published:
    """Tells what was asked of the hub."""

    @classmethod
    def from_pretrained(cls, name: str, **options: Any) -> tuple[str, dict[str, Any]]:
        if name == "no/where":
            raise OSError("not there")
        return name, options


@pytest.mark.parametrize(
    ("name", "asked", "revision"),
    [
        (f"owner/model@{COMMIT}", "owner/model", COMMIT),
        ("facebook/dino-vits16", "facebook/dino-vits16", PINNED["facebook/dino-vits16"]),
        (f"facebook/dino-vits16@{COMMIT}", "facebook/dino-vits16", COMMIT),
    ],
)
def test_the_commit_is_the_one_named_or_the_known_one(name: str, asked: str, revision: str):
    assert load_pretrained("A model", Published, name, dtype=1) == (asked, {"revision": revision, "dtype": 1})


def test_a_folder_needs_no_commit(tmp_path: Path):
    assert load_pretrained("A model", Published, str(tmp_path)) == (str(tmp_path), {"revision": None})


@pytest.mark.parametrize("name", ["owner/model", "owner/model@main", f"owner/model@{COMMIT[:-1]}", "nowhere"])
def test_the_newest_of_a_model_is_not_taken(name: str):
    with pytest.raises(ModelError, match="name its commit"):
        load_pretrained("A model", Published, name)


def test_what_the_hub_does_not_give_is_named():
    with pytest.raises(ModelError, match=r"A model 'no/where@.*' cannot be loaded: not there"):
        load_pretrained("A model", Published, f"no/where@{COMMIT}")
