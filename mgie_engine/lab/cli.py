"""The lab's commands of `mgie`; importing this module imports no other of the lab."""

from collections.abc import Collection
from importlib import import_module

from mgie_engine.cli_types import Commands

# name: (help, modules below mgie_engine.lab that register it)
COMMANDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "data": ("prepare, import and export training data", ("data.command",)),
    "evaluate": (
        "measure how good edits are",
        ("evaluation.files_command", "evaluation.scenes_command", "variants.variants_command"),
    ),
    "scenes": ("render generated scenes with their edits", ("scenes.command",)),
    "study": ("find the best guidance strengths for each kind of edit", ("study.command",)),
    "train": (
        "train mgie-mini, MGIE at full size, or the paper's variants",
        ("training.command", "variants.train_command"),
    ),
}
GROUPS = ("evaluate", "train")  # commands whose sub-commands are in modules of their own


def overview() -> str:
    """The lab's part of `mgie --help`."""
    lines = [f"    {name:<10}{text}" for name, (text, _) in COMMANDS.items()]
    return "\n".join(["lab commands (make and measure models):", *lines])


def register(commands: Commands, chosen: Collection[str]) -> None:
    """Add the lab's commands; only the modules of the chosen ones are imported."""
    for name, (text, modules) in COMMANDS.items():
        if name not in chosen:
            commands.add_parser(name)  # without help: `overview` lists it
            continue
        target = commands
        if name in GROUPS:
            parser = commands.add_parser(name, description=text)
            target = parser.add_subparsers(title="sub-commands", required=True, metavar="WHAT")
        for module in modules:
            import_module(f"mgie_engine.lab.{module}").register(target)
