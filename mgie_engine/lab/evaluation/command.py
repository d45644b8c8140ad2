"""`mgie evaluate`: how good a model is, on drawn scenes or on files; and how models compare."""

import argparse
from collections.abc import Callable

from mgie_engine.lab.evaluation.files_command import register as register_files
from mgie_engine.lab.evaluation.scenes_command import register as register_scenes
from mgie_engine.lab.variants.variants_command import register as register_variants

# Each adds one parser below `mgie evaluate` and sets its `run`: arguments and environment in, nothing out.
REGISTER: tuple[Callable[["argparse._SubParsersAction[argparse.ArgumentParser]"], None], ...] = (
    register_files,
    register_scenes,
    register_variants,
)


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `mgie evaluate` with its sub-commands."""
    parser = commands.add_parser("evaluate", help="measure how good edits are")
    kinds = parser.add_subparsers(title="what to evaluate on", required=True, metavar="WHAT")
    for register_kind in REGISTER:
        register_kind(kinds)
