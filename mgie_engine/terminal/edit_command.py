"""`mgie edit`: edit pictures from the command line."""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from conversations.errors import ConversationError
from mgie_engine.cli_types import Commands, ExitCode, WrongUsage, exit_code, sentence
from mgie_engine.errors import EngineError
from mgie_engine.python_api.edit_requests import EditOptions
from mgie_engine.python_api.edited_picture import EditedPicture
from mgie_engine.serving.edit_options import add_model, add_settings, chosen_settings
from mgie_engine.terminal.picture_inputs import PictureInput, find_inputs
from mgie_engine.terminal.picture_outputs import STDOUT, PictureOutput, plan_outputs
from mgie_engine.terminal.progress_bars import edit_bar, load_editor

EXAMPLES = """examples:
  mgie edit garden.jpg "make it winter"                      writes garden-edited.jpg
  mgie edit scene.png "make the ball red" -o red.png --seed 7
  mgie edit holiday/*.jpg "make it warmer" -o warmer/        several pictures, one load of the model
  mgie edit photo.jpg "make it blue" --mask door.png         only where door.png is white
  curl -s ADDRESS | mgie edit - "make it darker" -o - > darker.png

exit codes:
  0 done   1 something failed   2 wrong usage   3 the model declined an edit   130 interrupted
"""


def register(commands: Commands) -> None:
    """Add `mgie edit`."""
    parser = commands.add_parser(
        "edit",
        run=run,
        help="edit pictures",
        description="Edit pictures. The same picture, words, settings and seed give the same bytes.",
        epilog=EXAMPLES,
    )
    parser.add_argument(
        "pictures", nargs="+", metavar="PICTURE", help="files, folders, patterns, or - for standard input"
    )
    parser.add_argument("instruction", metavar="INSTRUCTION", help="what to change, in your words")
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="a .png, .jpg or .webp file, a folder, or - for standard output; "
        "a free name beside the picture if left out",
    )
    parser.add_argument("--force", "--yes", action="store_true", help="replace files that exist")
    parser.add_argument(
        "--reading", metavar="TEXT", help="an expressive instruction in place of the model's own"
    )
    parser.add_argument(
        "--mask",
        metavar="FILE",
        help="a picture of the same size, white or transparent where it may change; every byte outside stays",
    )
    add_settings(parser)
    add_model(parser)
    parser.add_argument("--json", action="store_true", help="print one line of JSON for each picture")


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Make the edits one after another, write them, and say what was used; the worst exit code."""
    options: EditOptions = chosen_settings(arguments).explicit()  # type: ignore[assignment]
    _check_instruction(arguments.instruction)
    inputs = find_inputs(arguments.pictures)
    outputs = plan_outputs(inputs, arguments.output, may_replace=arguments.force)
    began = time.monotonic()
    editor = load_editor(arguments, environment)
    loading = {"loading": round(time.monotonic() - began, 4)}
    codes = []
    with editor:
        for number, (source, output) in enumerate(zip(inputs, outputs, strict=True), 1):
            title = f"{number}/{len(inputs)} {source.name}: " if len(inputs) > 1 else ""
            try:
                with edit_bar(title) as show:
                    picture = editor.edit(
                        source.read(),
                        arguments.instruction,
                        reading=arguments.reading,
                        mask=arguments.mask,
                        progress=show,
                        **options,
                    )
                output.write(picture)
            except (EngineError, ConversationError, OSError) as error:
                codes.append(_tell_failure(arguments.json, source, error, is_only=len(inputs) == 1))
            else:
                codes.append(ExitCode.DONE)
                report = {"picture": source.name, "output": output.name} | describe(picture)
                report["seconds"] = loading | picture.seconds
                _tell(json.dumps(report) if arguments.json else _in_words(report, picture), output)
            loading = {}
    return max(codes)


def describe(picture: EditedPicture) -> dict[str, Any]:
    """What was made and with what, as JSON has it; the picture itself left out."""
    return {
        "expressive": picture.expressive,
        **{name: value for name, value in asdict(picture.settings).items() if name != "ask"},
        "model": picture.model,
        "size": list(picture.size),
        "seconds": picture.seconds,
        "changed": picture.changed,
        "level": picture.level,
        "confidence": picture.confidence,
        "doubt": picture.doubt,
        "notes": list(picture.codes),
    }


def _check_instruction(instruction: str) -> None:
    if not instruction.strip():
        raise WrongUsage("The instruction is empty: say what to change.")
    if Path(instruction).is_file():
        raise WrongUsage(f"{instruction!r} is a file; the last argument says what to change.")


def _tell_failure(as_json: bool, source: PictureInput, error: Exception, *, is_only: bool) -> ExitCode:
    code, text = exit_code(error), sentence(error)
    if as_json:
        sys.stdout.write(json.dumps({"picture": source.name, "error": text, "code": code}) + "\n")
    else:
        sys.stderr.write(f"mgie: {text}\n" if is_only else f"mgie: {source.name}: {text}\n")
    return code


def _tell(text: str, output: PictureOutput) -> None:
    """Print to stdout, or to stderr where the picture goes to stdout."""
    stream = sys.stderr if output.name == STDOUT else sys.stdout
    stream.write(text + "\n")


def _in_words(report: Mapping[str, Any], picture: EditedPicture) -> str:
    size, seconds = report["size"], sum(report["seconds"].values())
    settings = "seed {seed} · text CFG {text_cfg:g} · image CFG {image_cfg:g} · {steps} steps · {sampler}"
    if picture.is_exact:
        settings = "text CFG {text_cfg:g} · image CFG {image_cfg:g}"
    lines = [
        report["expressive"],
        settings.format(**report),
        *picture.notes,
        f"{report['output']}: {size[0]} × {size[1]}, {seconds:.1f} s",
    ]
    return "\n".join(lines)
