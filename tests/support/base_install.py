"""Run a module with only the packages of a base install: those of extras and of tests cannot be imported.

python -m tests.support.base_install mgie_engine.cli edit in.png "make it darker"
"""

import re
import runpy
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from importlib.metadata import Distribution, packages_distributions
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[2]
PINS = ("run", "torch", "cuda")  # files in requirements/
OWN = {"mgie"}


def plain(name: str) -> str:
    """The name of a package as an index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def base_packages() -> set[str]:
    """Every package that a base install may have."""
    text = "".join((ROOT / f"requirements/{name}.txt").read_text("utf-8") for name in PINS)
    return OWN | {plain(name) for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}


def others() -> set[str]:
    """Top-level modules that are here and belong to no such package."""
    base = base_packages()
    here = packages_distributions().items()
    return {module for module, owners in here if base.isdisjoint(map(plain, owners))}


class WithoutSome:
    """Finds what the given finders find, except some top-level modules and the packages they belong to."""

    def __init__(self, finders: Sequence[Any], hidden: set[str], packages: set[str]) -> None:
        self.finders, self.hidden, self.packages = finders, hidden, packages

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The first finder's answer; None for a hidden module."""
        if name.partition(".")[0] in self.hidden:
            return None
        return next((spec for finder in self.finders if (spec := finder.find_spec(name, path, target))), None)

    def find_distributions(self, context: Any = None) -> Iterator[Distribution]:
        """The installed packages that are not hidden."""
        for finder in (finder for finder in self.finders if hasattr(finder, "find_distributions")):
            for found in finder.find_distributions(context):
                if plain(found.metadata["Name"]) in self.packages:
                    yield found


def hide_others() -> None:
    """From now on this process has the packages of a base install alone."""
    sys.meta_path[:] = [WithoutSome(list(sys.meta_path), others(), base_packages())]


if __name__ == "__main__":
    hide_others()
    module, sys.argv = sys.argv[1], sys.argv[1:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
