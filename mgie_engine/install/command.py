"""`mgie download | convert | extract | doctor`: install the published weights and check the machine."""

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mgie_engine.cli_types import Commands, ExitCode, add_json, print_json, speaker
from mgie_engine.config import BUNDLED_MODEL, ModelLocation, models_home, resolve_model
from mgie_engine.errors import ModelError
from mgie_engine.install import licence

_MODEL = "mgie-7b"
_HUB = "hub"  # in place of a file or folder; a folder of that name is ./hub


def register(commands: Commands) -> None:
    """Add the four commands."""
    _add_download(commands)
    _add_convert(commands)
    _add_extract(commands)
    _add_doctor(commands)


def run_download(arguments: argparse.Namespace, environment: Mapping[str, str]) -> None:
    """Download the published files to MGIE_HOME."""
    if arguments.model != _MODEL:
        raise ModelError(f"Only {_MODEL} can be downloaded; {arguments.model!r} is not published.")
    home = models_home(environment)
    say, ask = speaker(arguments), input if sys.stdin.isatty() else None
    licence.require_acceptance(home, arguments.accept_license, say, ask and (lambda: ask("Accept? [y/N] ")))
    from huggingface_hub import HfApi

    from mgie_engine.install import copying, sources
    from mgie_engine.install.differentials import Differentials

    folder, expected = home / arguments.model, Differentials.of()
    if arguments.source not in (None, _HUB):
        copying.copy_all(Path(arguments.source), folder, say, expected.check, expected.most)
    else:
        archive = None if arguments.source else environment.get("MGIE_ARCHIVE") or sources.APPLE
        api = HfApi(endpoint=environment.get("HF_ENDPOINT"))
        sources.fetch_all(folder, api, say, expected.check, expected.most, archive)
    for sentence in (lacks := sources.still_missing(folder)):
        say(f"· {sentence}")
    if not lacks:
        _check_downloaded(ModelLocation(arguments.model, folder, "released"), say)
    if arguments.json:
        print_json({"model": arguments.model, "folder": folder, "lacks": lacks})


def _check_downloaded(location: ModelLocation, say: Callable[[str], None]) -> None:
    """Say that a model's files are what loading needs; ModelError with the first fault if not."""
    from mgie_engine.install.file_check import find_faults

    if faults := find_faults(location):
        for fault in faults:
            say(f"✗ {fault}")
        raise ModelError(f"The files in {location.folder} cannot be loaded: {faults[0]}")
    say("Every tensor that loading needs is there, with its shape and type.")
    say(f"Next: `mgie doctor {location.name}`, then `mgie convert {location.name}`.")


def run_convert(arguments: argparse.Namespace, environment: Mapping[str, str]) -> None:
    """Write a model as one folder of safetensors."""
    from mgie_engine.checkpoints import native
    from mgie_engine.install import convert

    home = models_home(environment)
    if arguments.onto and not arguments.output:
        raise ModelError("With --onto, say with -o where the new model goes.")
    location = resolve_model(arguments.onto or arguments.model, home)
    if location.layout == "ours" and not arguments.output:
        raise ModelError(f"{location.name} is one folder already; say with -o where its copy goes.")
    source, output = native.read_model(location), arguments.output or location.folder
    if arguments.onto:
        source = convert.onto(convert.find_differentials(Path(arguments.model)), source)
    shards = convert.convert(source, output, arguments.keep)
    size = sum(shard.stat().st_size for shard in shards)
    if arguments.json:
        print_json({"folder": output, "shards": [shard.name for shard in shards], "bytes": size})
    else:
        sys.stdout.write(f"{output}: {len(shards)} shards, {size / 1e9:.2f} GB.\n")


def run_extract(arguments: argparse.Namespace, environment: Mapping[str, str]) -> None:
    """Write mllm.pt and unet.pt."""
    from mgie_engine.checkpoints import native
    from mgie_engine.install import extract

    try:
        location = resolve_model(arguments.model, models_home(environment))
        tensors: Mapping[str, Any] = native.read_model(location).tensors
    except ModelError:
        if not Path(arguments.model).is_dir():
            raise
        tensors = extract.tensors_of_run(Path(arguments.model))
    files = {file: file.stat().st_size for file in extract.extract(tensors, arguments.output / "mgie_7b")}
    if arguments.json:
        print_json({"files": {str(file): size for file, size in files.items()}})
    else:
        sys.stdout.writelines(f"{file}: {size / 1e6:.1f} MB.\n" for file, size in files.items())


def run_doctor(arguments: argparse.Namespace, environment: Mapping[str, str]) -> ExitCode:
    """Print whether a model can run here; FAILED or ModelError if not."""
    import torch

    from mgie_engine.install import doctor
    from mgie_engine.memory import loading, modes

    memory = arguments.memory or environment.get("MGIE_MEMORY") or modes.AUTO
    requested = modes.parse(memory, modes.Mode, "memory mode")
    home = models_home(environment)
    devices = [torch.device(name) for name in loading.find_devices(arguments.device)]
    model = arguments.model or environment.get("MGIE_MODEL") or BUNDLED_MODEL
    files = doctor.examine_files(model, home)
    findings = doctor.diagnose_all([doctor.examine(files, home, device) for device in devices], requested)
    wrong = sum(finding.is_blocking for finding in findings)
    if arguments.json:
        facts = {"model": model, "can_run": not wrong, "findings": [asdict(one) for one in findings]}
        print_json(facts)
        return ExitCode.FAILED if wrong else ExitCode.DONE
    say = speaker(arguments)
    for finding in findings:
        say(f"{'✗' if finding.is_blocking else '·'} {finding.sentence}")
    if wrong:
        raise ModelError(f"{model} cannot run here yet: {wrong} of the lines above must change.")
    say(f"✓ {model} can run here.")
    return ExitCode.DONE


def _add_download(commands: Commands) -> None:
    parser = commands.add_parser(
        "download",
        run=run_download,
        help="download the published MGIE-7B",
        description="Download the published files to MGIE_HOME: Apple's archive, and the rest from the hub "
        "of Hugging Face. Run again, it resumes where it stopped.",
    )
    parser.add_argument("model", nargs="?", default=_MODEL, help="whose name")
    parser.add_argument(
        "--from",
        dest="source",
        metavar="PLACE",
        help="Apple's archive, a folder with some of the files, or `hub` for all from there",
    )
    parser.add_argument("--accept-license", action="store_true", help="accept the terms without a prompt")
    add_json(parser)


def _add_convert(commands: Commands) -> None:
    parser = commands.add_parser(
        "convert",
        run=run_convert,
        help="write one folder of safetensors, which loads memory-mapped",
        description="Write a model in our layout; adds LLaVA's delta to LLaMA.",
    )
    parser.add_argument("model", help="a name or a folder; with --onto a folder with mllm.pt and unet.pt")
    parser.add_argument("-o", "--output", type=Path, help="target folder (default: the model's own)")
    parser.add_argument(
        "--keep", choices=["fp16", "bf16", "fp32", "int8"], default="fp16", help="type of the weights"
    )
    parser.add_argument("--onto", metavar="MODEL", help="model that supplies what mllm.pt and unet.pt lack")
    add_json(parser)


def _add_extract(commands: Commands) -> None:
    parser = commands.add_parser(
        "extract",
        run=run_extract,
        help="write mllm.pt and unet.pt, as published",
        description="Write OUT/mgie_7b/mllm.pt and unet.pt from a model or a training run's folder.",
    )
    parser.add_argument("model", help="a name, a folder, or a training run's folder")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="a folder")
    add_json(parser)


def _add_doctor(commands: Commands) -> None:
    parser = commands.add_parser(
        "doctor",
        run=run_doctor,
        help="check files, libraries and memory",
        description="Check whether a model can run here: every file's size, the name, type and shape of "
        "every tensor, libraries, disk and memory. Exit code 0: yes; 1: no.",
    )
    parser.add_argument("model", nargs="?", help="a name or a folder; MGIE_MODEL or mgie-mini if left out")
    parser.add_argument("--device", default="auto", help="auto (every GPU), cpu, cuda, cuda:1")
    parser.add_argument("--memory", metavar="MODE", help="a memory mode instead of the best that fits")
    add_json(parser)
