"""`mgie`: the engine from the command line. Each part registers its own commands, which import little."""

import os
import sys
from collections.abc import Sequence

from conversations.errors import ConversationError
from mgie_engine.cli_types import CommandParser
from mgie_engine.errors import EngineError
from mgie_engine.install import command as install
from mgie_engine.serving import command as serving


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code: 0 done, 1 could not (one sentence says why), 2 wrong usage."""
    argv = sys.argv[1:] if argv is None else argv
    arguments = _parser(argv[0] if argv else None).parse_args(argv)
    try:
        arguments.run(arguments, os.environ)
    except (EngineError, ConversationError, OSError) as error:
        sys.stderr.write(f"mgie: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser(chosen: str | None) -> CommandParser:
    """The parser of all commands; of the lab's, only the chosen one has its options.

    A `register` function adds one parser with its `run`.
    """
    from mgie_engine.lab import cli as lab

    parser = CommandParser(
        prog="mgie",
        description="Edit pictures by saying what to change.",
        epilog=lab.overview(),
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    serving.register(commands)
    install.register(commands)
    lab.register(commands, chosen)
    return parser


if __name__ == "__main__":
    sys.exit(main())
