"""`mgie completion`: scripts that complete commands, options and file names in a shell."""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from mgie_engine.cli_types import CommandParser, Commands

SHELLS = ("bash", "zsh", "fish", "tcsh")
INSTALLING = """examples:
  mgie completion bash > ~/.local/share/bash-completion/completions/mgie
  mgie completion zsh > "${fpath[1]}/_mgie"
  mgie completion fish > ~/.config/fish/completions/mgie.fish
"""


def register(commands: Commands, whole_parser: Callable[[], CommandParser]) -> None:
    """Add `mgie completion`; `whole_parser` gives the parser with the options of every command."""
    parser = commands.add_parser(
        "completion",
        run=run,
        help="print a completion script for a shell",
        description="Print a script that completes commands, options and file names.",
        epilog=INSTALLING,
    )
    parser.add_argument("shell", choices=SHELLS)
    parser.set_defaults(whole_parser=whole_parser)


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> None:
    """Print the script."""
    import shtab

    whole: CommandParser = arguments.whole_parser()
    for action in _actions(whole):
        if action.type is Path or action.dest in ("pictures", "output"):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    sys.stdout.write(shtab.complete(whole, arguments.shell) + "\n")


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """The options of a parser and of all its sub-commands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from _actions(sub)
