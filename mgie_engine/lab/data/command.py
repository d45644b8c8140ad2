"""`mgie data`: from public layouts to the files that training reads, and the release's files in and out."""

import argparse
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

import torch

from mgie_engine.cli_types import CommandParser, Commands, add_json, positive, print_json
from mgie_engine.config import models_home
from mgie_engine.errors import DataError
from mgie_engine.lab.data.describer import Llava, load_llava, of_mgie
from mgie_engine.lab.data.examples import EditExample
from mgie_engine.lab.data.prepare import (
    ShardConfig,
    ShardProgress,
    prepare_shards,
    with_history,
    write_shards,
)
from mgie_engine.lab.data.public_datasets import LAYOUTS, examples_of
from mgie_engine.lab.data.release import read_release, write_release
from mgie_engine.lab.data.summariser import RELEASED_SUMMARISER, load_summariser
from mgie_engine.lab.pretrained import WHERE
from mgie_engine.serving.loader import ModelChoice

EXAMPLES = """examples:
  mgie data prepare clip-filtered-dataset prepared --llava LLaVA-7B-v1 --summariser flan-t5-summarizer
  mgie data import magicbrush MagicBrush/train imported
  mgie data prepare imported prepared --llava LLaVA-7B-v1 --summariser flan-t5-summarizer
  mgie data export prepared release --name ipr2pr
"""


def register(commands: Commands) -> None:
    """Add `mgie data` with its sub-commands."""
    parser = commands.add_parser(
        "data",
        help="prepare, import and export training data",
        epilog=EXAMPLES,
    )
    actions = parser.add_subparsers(title="what to do", required=True, metavar="ACTION")
    _register_prepare(actions)
    _register_import(actions)
    _register_export(actions)


def run_prepare(arguments: argparse.Namespace, environment: Mapping[str, str]) -> None:
    """Write expressive instructions for the examples of a folder."""
    device = arguments.device or ("cuda" if torch.cuda.is_available() else "cpu")
    llava = _describer(arguments, environment, device)
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    summariser = load_summariser(arguments.summariser, device, dtype)
    plan = ShardConfig(llava.name, summariser.name, arguments.shard_size, arguments.batch_size)
    source = examples_of(_folder(arguments.source))
    _tell(arguments, prepare_shards(source, arguments.output, llava, summariser, plan))


def run_import(arguments: argparse.Namespace, environment: Mapping[str, str]) -> None:
    """Bring the examples of a public layout into shards, as they are."""
    source, layout = _folder(arguments.source), arguments.layout
    found = read_release(source, arguments.name) if layout == "release" else LAYOUTS[layout](source)
    plan = ShardConfig(shard_size=arguments.shard_size)
    _tell(arguments, write_shards(found, arguments.output, with_history, plan))


def run_export(arguments: argparse.Namespace, environment: Mapping[str, str]) -> None:
    """Write the examples of a folder as the release's files."""
    source = _spoken(examples_of(_folder(arguments.source)))
    count = write_release(arguments.output, arguments.name, source, as_is=arguments.as_is)
    if arguments.json:
        print_json({"folder": arguments.output, "name": arguments.name, "examples": count})
    else:
        sys.stdout.write(f"{arguments.output}/{arguments.name}.*: {count} examples\n")


def _spoken(examples: Iterable[EditExample]) -> Iterable[EditExample]:
    """The examples; DataError at the first without an expressive instruction."""
    for example in examples:
        if not example.expressive:
            raise DataError(f"{example.id} has no expressive instruction yet: `mgie data prepare` writes it.")
        yield example


def _describer(arguments: argparse.Namespace, environment: Mapping[str, str], device: str) -> Llava:
    """LLaVA from its published folder, or the language half of an MGIE."""
    folder = Path(arguments.llava)
    if (folder / "config.json").is_file() and (folder / "tokenizer_config.json").is_file():
        dtype = torch.float32 if device == "cpu" else torch.float16
        return load_llava(folder, arguments.clip, device, dtype)
    return of_mgie(ModelChoice(arguments.llava, models_home(environment), device).load())


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise DataError(f"There is no folder {str(path)!r}.")
    return path


def _tell(arguments: argparse.Namespace, done: ShardProgress) -> None:
    folder = arguments.output
    if arguments.json:
        print_json({"folder": folder, **asdict(done)})
        return
    sys.stdout.write(f"{folder}: {done.examples} examples in {done.shards} shards, {done.kept} were there\n")


def _register_prepare(actions: Commands) -> None:
    parser = actions.add_parser(
        "prepare", run=run_prepare, help="have expressive instructions written; goes on where it stopped"
    )
    _add_folders(parser, "a folder of InstructPix2Pix, MagicBrush, or imported examples")
    parser.add_argument("--llava", required=True, metavar="MODEL", help="LLaVA's folder, or an MGIE model")
    parser.add_argument("--clip", metavar="MODEL", help="LLaVA's CLIP tower, if not the one it names")
    parser.add_argument(
        "--summariser",
        required=True,
        metavar="MODEL",
        help=f"shortens the texts: {WHERE}; the release used {RELEASED_SUMMARISER}",
    )
    parser.add_argument("--batch-size", type=positive, default=8, metavar="N", help="examples at once")
    parser.add_argument("--device", help="cpu, cuda, cuda:1; a GPU if there is one")
    _add_shard_size(parser)


def _register_import(actions: Commands) -> None:
    parser = actions.add_parser("import", run=run_import, help="bring a public layout into training's format")
    parser.add_argument("layout", choices=("ipr2pr", "magicbrush", "release"))
    _add_folders(parser, "its folder")
    _add_name(parser)
    _add_shard_size(parser)


def _register_export(actions: Commands) -> None:
    parser = actions.add_parser("export", run=run_export, help="write the release's pkl, tsv and json")
    _add_folders(parser, "a folder of prepared examples")
    _add_name(parser)
    parser.add_argument("--as-is", action="store_true", help="do not encode JPEG pictures again")


def _add_folders(parser: CommandParser, source: str) -> None:
    parser.add_argument("source", type=Path, metavar="SOURCE", help=source)
    parser.add_argument("output", type=Path, metavar="OUT", help="the folder to write to")
    add_json(parser)


def _add_name(parser: CommandParser) -> None:
    parser.add_argument("--name", default="ipr2pr", help="of the release's files")


def _add_shard_size(parser: CommandParser) -> None:
    parser.add_argument("--shard-size", type=positive, default=256, metavar="N", help="examples in a file")
