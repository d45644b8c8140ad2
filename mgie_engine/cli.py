"""`mgie`: the engine from the command line. Each part registers its own commands, which import little."""

import argparse
import atexit
import gc
import json
import os
import sys
from collections.abc import Collection, Sequence
from importlib.metadata import version

from conversations.errors import ConversationError
from mgie_engine.cli_types import CommandParser, ExitCode, exit_code, sentence
from mgie_engine.cluster import command as cluster
from mgie_engine.errors import EngineError
from mgie_engine.install import command as install
from mgie_engine.terminal import chat_command, completion_command, demo_command, edit_command

BEGIN = """begin with:
  mgie edit photo.jpg "make it warmer"
  mgie COMMAND --help

exit codes:
  0 done   1 failed   2 wrong usage   3 the model declined an edit   130 interrupted
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, or print the help without one; the exit code, see ExitCode."""
    argv = sys.argv[1:] if argv is None else argv
    parser = _parser(argv[:1])
    if not argv:
        parser.print_help()
        return ExitCode.DONE
    arguments = parser.parse_args(argv)
    atexit.register(gc.freeze)  # else the interpreter looks through all of torch for a second before it ends
    try:
        return arguments.run(arguments, os.environ) or ExitCode.DONE
    except (EngineError, ConversationError, OSError) as error:
        return _tell_error(arguments, error)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


def _tell_error(arguments: argparse.Namespace, error: Exception) -> ExitCode:
    code, text = exit_code(error), sentence(error)
    if getattr(arguments, "json", False):
        sys.stdout.write(json.dumps({"error": text, "code": code}) + "\n")
    else:
        sys.stderr.write(f"mgie: {text}\n")
    return code


def _parser(chosen: Collection[str]) -> CommandParser:
    """The parser of all commands; of the lab's, only the chosen ones have their options.

    A `register` function adds one parser with its `run`.
    """
    from mgie_engine.lab import cli as lab

    parser = CommandParser(
        prog="mgie",
        description="Edit pictures by saying what to change.",
        epilog=f"{BEGIN}\n{lab.overview()}",
    )
    parser.add_argument("--version", action="version", version=f"mgie {version('mgie')}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    edit_command.register(commands)
    chat_command.register(commands)
    demo_command.register(commands)
    install.register(commands)
    cluster.register(commands)
    completion_command.register(commands, lambda: _parser(lab.COMMANDS))
    lab.register(commands, chosen)
    return parser


if __name__ == "__main__":
    sys.exit(main())
