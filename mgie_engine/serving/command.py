"""`mgie edit`: one edit from the command line, by the engine that serves the bot."""

import argparse
import json
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from conversations.images.image_store import read_picture
from conversations.settings import CHOICES, RANGES, SETTING_NAMES, EditSettings, SettingsOverride, checked
from mgie_engine.cli_types import CommandParser, Commands
from mgie_engine.config import models_home
from mgie_engine.edits import EditRequest, EditResult, Progress
from mgie_engine.errors import RequestRefused
from mgie_engine.serving.loader import ModelChoice

if TYPE_CHECKING:
    from mgie_engine.config import Defaults

EXAMPLES = """examples:
  mgie edit garden.jpg "make it winter" -o winter.png
  mgie edit scene.png "make the ball red" -o red.png --seed 7 --text-cfg 7.5 --image-cfg 1.5 --json
"""


def register(commands: Commands) -> None:
    """Add `mgie edit`."""
    parser = commands.add_parser(
        "edit",
        run=run,
        help="edit one picture",
        description="Edit one picture. The same picture, words, settings and seed give the same bytes.",
        epilog=EXAMPLES,
    )
    parser.add_argument("picture", type=Path, help="PNG, JPEG, WebP, …")
    parser.add_argument("instruction", help="what to change, in your words")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT.png", help="where the edit goes"
    )
    parser.add_argument(
        "--reading", metavar="TEXT", help="an expressive instruction in place of the model's own"
    )
    add_settings(parser)
    add_model(parser)
    parser.add_argument("--json", action="store_true", help="print one line of JSON")


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> None:
    """Make the edit, write it, and say what was used."""
    override = chosen_settings(arguments)
    _check_output(arguments.output)
    picture = read_picture(arguments.picture.read_bytes())
    began = time.monotonic()
    engine = chosen_model(arguments, environment).build()
    loading_s = round(time.monotonic() - began, 4)
    settings = settle(override, engine.model.config.defaults, fresh_seed=secrets.randbelow(2**32))
    request = EditRequest(picture.png, arguments.instruction, settings, reading=arguments.reading)

    from mgie_engine.serving.engine import edit_with  # imports torch; by now the model has, too

    with engine, _progress_bar() as show:
        result = edit_with(engine, request, show)
    arguments.output.write_bytes(result.image)
    notes = [note.code for note in (*picture.notes, *result.notes)]
    report = describe(result) | {"notes": notes, "output": str(arguments.output)}
    report["seconds"] = {"loading": loading_s} | result.seconds
    sys.stdout.write(json.dumps(report) + "\n" if arguments.json else _in_words(report))


NOTES = {  # in words, by the codes of the JSON report
    "note_as_written": "used your words as written",
    "note_nothing_changed": "nothing changed",
    "note_main_picture": "the file holds several pictures; the main one was used",
    "note_first_frame": "the file is an animation; its first frame was used",
    "note_later_frame": "the file is an animation that starts with an empty frame; a later one was used",
    "note_hdr": "the picture is HDR and was converted to ordinary brightness; colours may look different",
    "note_colours": "the file's colour information could not be used; colours may look different",
    "note_reduced": "the picture has too many pixels and was reduced",
    "note_8_bits": "the picture has more than 8 bits per colour; 8 were used",
}


def settle(override: SettingsOverride, defaults: "Defaults", fresh_seed: int) -> EditSettings:
    """The override, with the model's defaults for what it leaves out; without any seed, `fresh_seed`."""
    bottom = SettingsOverride(**asdict(defaults))
    seed = SettingsOverride(seed=fresh_seed, keep="auto")
    return EditSettings(**override.merged_over(bottom).merged_over(seed).explicit())


def describe(result: EditResult) -> dict[str, Any]:
    """What was made and with what, as JSON has it; the picture itself left out."""
    return {
        "expressive": result.expressive,
        **asdict(result.settings),
        "model": result.model,
        "size": list(result.size),
        "seconds": result.seconds,
        "changed": result.changed,
        "level": result.level,
    }


def _in_words(report: Mapping[str, Any]) -> str:
    size, seconds = report["size"], sum(report["seconds"].values())
    lines = [
        report["expressive"],
        "seed {seed} · text CFG {text_cfg:g} · image CFG {image_cfg:g} · {steps} steps · {sampler}".format(
            **report
        ),
        *(NOTES.get(code, code) for code in report["notes"]),
        f"{report['output']}: {size[0]} × {size[1]}, {seconds:.1f} s",
    ]
    return "\n".join(lines) + "\n"


def _check_output(path: Path) -> None:
    """Before minutes of work: RequestRefused if the edit could not be written."""
    if path.suffix.lower() != ".png":
        raise RequestRefused(f"The edit is written as a PNG, so name it .png, not {path.name!r}.")
    if not path.parent.is_dir():
        raise RequestRefused(f"There is no folder {str(path.parent)!r} to write to.")


@contextmanager
def _progress_bar() -> Iterator[Callable[[Progress], None]]:
    """Shows how far an edit is, if stderr is a terminal."""
    with tqdm(disable=None, leave=False) as bar:

        def show(progress: Progress) -> None:
            bar.set_description(progress.stage, refresh=False)
            bar.total, bar.n = progress.steps, progress.step
            bar.refresh()

        yield show


def add_settings(parser: CommandParser) -> None:
    """Add an option for each setting of an edit."""

    def within(setting: str) -> str:
        low, high = RANGES[setting]
        return f"{low:g} to {high:.10g}"

    parser.add_argument("--seed", type=int, help=f"{within('seed')}; a fresh one if left out")
    parser.add_argument("--text-cfg", type=float, help=f"text guidance, {within('text_cfg')}")
    parser.add_argument("--image-cfg", type=float, help=f"image guidance, {within('image_cfg')}")
    parser.add_argument("--steps", type=int, help=f"denoising steps, {within('steps')}")
    parser.add_argument("--sampler", choices=CHOICES["sampler"])
    parser.add_argument("--keep", choices=CHOICES["keep"], help="how much of the original is put back")


def chosen_settings(arguments: argparse.Namespace) -> SettingsOverride:
    """What the options of `add_settings` say; SettingsRefused for a value out of range."""
    return checked(SettingsOverride(**{name: getattr(arguments, name) for name in SETTING_NAMES}))


def add_model(parser: CommandParser) -> None:
    """Add the options that choose a model and where it runs."""
    parser.add_argument("--model", default="mgie-mini", help="a name or a folder")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1")
    parser.add_argument(
        "--memory",
        metavar="MODE",
        help="auto, fp32, mixed, fp16, bf16, int8, nf4, swap or offload; MGIE_MEMORY or auto if left out",
    )
    parser.add_argument(
        "--level",
        metavar="LEVEL",
        help="auto, exact, same or fast: how exactly is computed; MGIE_LEVEL or auto if left out",
    )
    parser.add_argument(
        "--threads", type=int, choices=range(1, 257), metavar="N", help="of the CPU; one per core if left out"
    )


def chosen_model(arguments: argparse.Namespace, environment: Mapping[str, str]) -> ModelChoice:
    """What the options of `add_model` say; the environment where they are silent."""
    memory = arguments.memory or environment.get("MGIE_MEMORY") or "auto"
    level = arguments.level or environment.get("MGIE_LEVEL") or "auto"
    home = models_home(environment)
    return ModelChoice(arguments.model, home, arguments.device, arguments.threads, memory, level)
