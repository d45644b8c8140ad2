"""`mgie`: the engine from the command line. Every part registers its own command, light to import."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from conversations.errors import ConversationError
from mgie_engine.errors import EngineError
from mgie_engine.install import command as releases
from mgie_engine.lab.data import command as data
from mgie_engine.lab.evaluation import command as evaluate
from mgie_engine.lab.scenes import command as scenes
from mgie_engine.lab.study import command as study
from mgie_engine.serving import command as edit

# A register function adds one parser and sets its `run`: arguments and environment in, nothing out.
REGISTER: tuple[Callable[["argparse._SubParsersAction[argparse.ArgumentParser]"], None], ...] = (
    edit.register,
    data.register,
    evaluate.register,
    scenes.register,
    study.register,
    releases.register,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code: 0 done, 1 could not (one sentence says why), 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="mgie", description="Edit pictures by saying what to change.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for register in REGISTER:
        register(commands)
    arguments = parser.parse_args(argv)
    try:
        arguments.run(arguments, os.environ)
    except (EngineError, ConversationError, OSError) as error:
        sys.stderr.write(f"mgie: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
