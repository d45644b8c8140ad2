"""`mgie chat`: refine a picture by talking."""

import argparse
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from mgie_engine.cli_types import Commands, ExitCode, WrongUsage
from mgie_engine.python_api.edit_requests import EditOptions
from mgie_engine.serving.edit_options import add_model, add_settings, chosen_settings
from mgie_engine.terminal.picture_inputs import find_inputs
from mgie_engine.terminal.progress_bars import load_editor
from mgie_engine.terminal.terminal_chat import HELP, TerminalChat

EXAMPLES = """examples:
  mgie chat garden.jpg
  printf 'make it darker\\nundo that\\n' | mgie chat garden.jpg --seed 7 --json
"""
QUIT = ("quit", "exit", "q")


def register(commands: Commands) -> None:
    """Add `mgie chat`."""
    parser = commands.add_parser(
        "chat",
        run=run,
        help="refine a picture by talking",
        description="Refine a picture by talking. Versions are written beside it: garden-v1.png, and so on.",
        epilog=EXAMPLES,
    )
    parser.add_argument("picture", metavar="PICTURE", help="a file")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="where versions go; beside the picture if left out"
    )
    add_settings(parser)
    add_model(parser)
    parser.add_argument("--json", action="store_true", help="print one line of JSON for each line said")


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> ExitCode:
    """Answer line by line until the input ends; at a terminal DONE, else the worst exit code of a line."""
    options: EditOptions = chosen_settings(arguments).explicit()  # type: ignore[assignment]
    picture = _only_file(arguments.picture)
    with load_editor(arguments, environment) as editor:
        talk = editor.conversation(picture, **options)
        chat = TerminalChat(talk, picture, arguments.output or picture.parent, as_json=arguments.json)
        if sys.stdin.isatty():
            width, height = talk.current.image.size
            sys.stdout.write(f"{picture}, {width} × {height}\n{HELP}\n")
            _talk(chat)
            return ExitCode.DONE
        lines = (line.strip() for line in sys.stdin)
        return max([chat.answer(line) for line in lines if line and line not in QUIT], default=ExitCode.DONE)


def _talk(chat: TerminalChat) -> None:
    """Ask for lines until the user quits."""
    with suppress(ImportError):
        import readline  # noqa: F401  # lets input() edit lines and recall earlier ones
    while True:
        try:
            line = input(chat.prompt).strip()
            if line.casefold() in QUIT:
                return
            if line:
                chat.answer(line)
        except KeyboardInterrupt:
            sys.stdout.write("\nstopped\n")
        except EOFError:
            sys.stdout.write("\n")
            return


def _only_file(name: str) -> Path:
    found = [source.path for source in find_inputs([name])]
    if len(found) != 1 or found[0] is None:
        raise WrongUsage("A conversation is about one picture in a file.")
    return found[0]
