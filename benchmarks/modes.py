"""What each memory mode costs at the levels exact and same: seconds, memory, likeness to half precision.

    python -m benchmarks.modes --no-tiny           the size of MGIE-7B: 35 GB of disk; the default with a GPU
    python -m benchmarks.modes --tiny              the same in seconds on any CPU; the default without one
    python -m benchmarks.modes --modes fp16,int8 --rivals --steps 100 --folder /somewhere

Makes a random checkpoint in the released layout, converts it, then loads it in every mode, each in a process
of its own. Ends in one line of JSON. Random weights say how long, how large, and how near two modes are;
they say nothing about pictures. The level same is left out where a mode does not have it, and its memory
includes starting. Repeated with --folder, it makes nothing again.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch

from conversations.settings import EditSettings
from mgie_engine.checkpoints import native
from mgie_engine.checkpoints.failures import is_out_of_memory
from mgie_engine.checkpoints.tensors import LazyTensors, StoredModel
from mgie_engine.config import LanguageSizes, ModelConfig, VisionSizes, resolve_model
from mgie_engine.edits import EditRequest
from mgie_engine.errors import ModelError
from mgie_engine.install.convert import convert, shapes
from mgie_engine.install.full_size import FULL_SIZE
from mgie_engine.memory.loading import keep
from mgie_engine.memory.modes import LADDERS, QUANTISED, Mode
from mgie_engine.memory.quantise import QUANTISERS
from mgie_engine.model.mgie import MGIE
from mgie_engine.serving import precision_levels
from mgie_engine.serving.engine import Engine, edit_alone, edit_with
from mgie_engine.serving.precision_levels import Level
from mgie_engine.text.tokenizer import Tokenizer

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # for when this is run as a script

from benchmarks.full_size import picture, png  # noqa: E402
from benchmarks.rivals import RIVALS  # noqa: E402
from tests.support.guidance_likeness import guidance, likeness  # noqa: E402
from tests.support.published import write_parts  # noqa: E402

TOKENIZER = ROOT / "tests" / "mgie_engine" / "parity" / "published" / "tokenizer"
RELEASE, OURS = "release", "ours"
DEFAULTS = {
    "cuda": [*LADDERS["cuda"], Mode.FP32, Mode.BF16],
    "cpu": [Mode.FP32, Mode.MIXED, Mode.BF16, Mode.INT8, Mode.OFFLOAD],
}
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Cost:
    """What one mode took."""

    mode: str
    device: str
    loading_s: float = 0.0
    device_mib: int = 0  # most that was allocated on the GPU
    memory_mib: int = 0  # most of main memory that was the process's own, mapped files left out
    reading_s: float = 0.0
    edit_s: float = 0.0
    same_s: float = 0.0  # one edit at the level same; 0 where the mode does not have it
    same_mib: int = 0  # most that was allocated there
    same_reserved_mib: int = 0
    cosine: float = 0.0  # of the guidance, to that of the first mode
    problem: str = ""


def main() -> None:
    """Make, convert, load in every mode, report."""
    arguments = _arguments()
    if arguments.one:
        cost = measure(arguments.one, arguments.folder, torch.device(arguments.device), arguments.steps)
        sys.stdout.write(json.dumps(asdict(cost)) + "\n")
        return
    sys.stderr.write("making and converting …\n")
    with tempfile.TemporaryDirectory(prefix="mgie-modes-") as scratch:
        folder = arguments.folder or Path(scratch)
        config = tiny() if arguments.tiny else FULL_SIZE
        report = {"benchmark": "modes", "device": arguments.device, "steps": arguments.steps}
        report |= prepare(folder, config, torch.device(arguments.device))
        sys.stderr.write(json.dumps(report) + "\n")
        costs = compared([run_apart(mode, folder, arguments) for mode in _modes(arguments)], folder)
    sys.stdout.write(table(costs) + "\n")
    sys.stdout.write(json.dumps(report | {"modes": [asdict(cost) for cost in costs]}) + "\n")


def prepare(folder: Path, config: ModelConfig, device: torch.device) -> dict[str, Any]:
    """The random release and its conversion, in `folder`; how long each took, and what it took of memory."""
    release, ours = folder / RELEASE, folder / OURS
    if (ours / "config.json").is_file():
        return {}
    release.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    tokenizer = Tokenizer.read(TOKENIZER)
    write_parts(release, config, tokenizer, random_tensors(config, tokenizer, device))
    making_s = time.monotonic() - began
    began = time.monotonic()
    with peak_memory() as peak:
        shards = convert(native.read_model(resolve_model(str(release))), ours)
    found = ModelConfig.from_json((ours / "config.json").read_text())
    # The released layout does not tell these: it is always the 7B's.
    found = replace(found, picture_size=config.picture_size, max_new_tokens=config.max_new_tokens)
    (ours / "config.json").write_text(found.to_json())
    return {
        "making_s": round(making_s, 1),
        "converting_s": round(time.monotonic() - began, 1),
        "converting_mib": peak[0],
        "files_gb": round(sum(shard.stat().st_size for shard in shards) / 1e9, 2),
    }


def random_tensors(config: ModelConfig, tokenizer: Tokenizer, device: torch.device) -> LazyTensors:
    """Weights that keep activations in range: the same for every run, whatever the order."""
    wanted = shapes(StoredModel(config, tokenizer, LazyTensors({}), exact=True))

    def maker(name: str, shape: torch.Size) -> torch.Tensor:
        generator = torch.Generator(device).manual_seed(zlib.crc32(name.encode()))
        drawn = torch.randn(shape, generator=generator, device=device)
        if len(shape) < 2:
            drawn = 0.05 * drawn + (1.0 if name.endswith(".weight") else 0.0)
        elif name.endswith(("embed_tokens.weight", "position_embedding.weight", "query")):
            drawn *= 0.5
        else:
            drawn /= shape[1:].numel() ** 0.5
        return drawn.half().cpu()

    return LazyTensors({name: partial(maker, name, shape) for name, shape in wanted.items()})


def measure(name: str, folder: Path, device: torch.device, steps: int) -> Cost:
    """Load the converted model in one mode, compare, and make one edit; its guidance goes to a file."""
    mode, _, library = name.partition(":")
    quantisers = {**QUANTISERS, QUANTISED.get(Mode(mode), "int8"): RIVALS[name]} if library else QUANTISERS
    with peak_memory() as peak:
        began = time.monotonic()
        mgie = keep(native.read_model(resolve_model(str(folder / OURS))), device, Mode(mode), quantisers)
        _wait_for(device)
        loading_s = time.monotonic() - began
        torch.save(guidance(mgie, picture(mgie.config.picture_size)), _said(folder, name))
        request = EditRequest(png(mgie.config.picture_size), "make the ball red", _settings(steps))
        edit_alone(mgie, replace(request, settings=_settings(1)), lambda _: None)  # to warm up
        result = edit_alone(mgie, request, lambda _: None)
    seconds = result.seconds
    cost = Cost(
        name,
        str(device),
        round(loading_s, 2),
        _peaks(device)[0],
        peak[0],
        round(seconds["reading"], 3),
        round(sum(seconds.values()), 3),
    )
    return cost if library else with_level_same(cost, mgie, Mode(mode), request)


def with_level_same(cost: Cost, mgie: MGIE, mode: Mode, request: EditRequest) -> Cost:
    """The cost with an edit at the level same, if the mode has it."""
    prepared = precision_levels.prepare(mgie, mode, Level.SAME)
    if prepared.fast is None:
        return cost
    with Engine(mgie, fast=prepared.fast, level=prepared.level.value) as engine:
        edit_with(engine, replace(request, settings=_settings(1)), lambda _: None)
        began = time.monotonic()
        edit_with(engine, request, lambda _: None)
        same_s = time.monotonic() - began
    allocated, reserved = _peaks(mgie.device)
    return replace(cost, same_s=round(same_s, 3), same_mib=allocated, same_reserved_mib=reserved)


def run_apart(name: str, folder: Path, arguments: argparse.Namespace) -> Cost:
    """`measure` in a process of its own, ended when it takes too long; told of at once."""
    cost = _measured_apart(name, folder, arguments)
    sys.stderr.write(json.dumps(asdict(cost)) + "\n")
    return cost


def _measured_apart(name: str, folder: Path, arguments: argparse.Namespace) -> Cost:
    command = [sys.executable, "-m", "benchmarks.modes", "--one", name, "--folder", str(folder)]
    command += ["--device", arguments.device, "--steps", str(arguments.steps)]
    try:
        done = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=arguments.limit_s, check=False
        )
    except subprocess.TimeoutExpired:
        return Cost(name, arguments.device, problem=f"not done in {arguments.limit_s} s")
    if done.returncode:
        return Cost(name, arguments.device, problem=f"ended with {done.returncode}")
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def compared(costs: list[Cost], folder: Path) -> list[Cost]:
    """The costs with the cosine of each mode's guidance to the first mode's."""
    said = {cost.mode: _said(folder, cost.mode) for cost in costs if not cost.problem}
    found = {mode: torch.load(file, weights_only=True) for mode, file in said.items()}
    first = next(iter(found.values()), None)
    return [
        replace(cost, cosine=round(likeness(found[cost.mode], first), 6))
        if first is not None and cost.mode in found
        else cost
        for cost in costs
    ]


def table(costs: list[Cost]) -> str:
    """The costs as Markdown."""
    lines = [
        "| mode | loading | main memory | cosine | reading | one edit | peak | `same` | peak (reserved) |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for cost in costs:
        if cost.problem:
            lines.append(f"| {cost.mode} | {cost.problem} | | | | | | | |")
            continue
        same = f"{cost.same_s:.2f} s | {_gib(cost.same_mib)} ({_gib(cost.same_reserved_mib)})"
        lines.append(
            f"| {cost.mode} | {cost.loading_s:.1f} s | {_gib(cost.memory_mib)} | {cost.cosine:.5f} "
            f"| {cost.reading_s:.2f} s | {cost.edit_s:.2f} s | {_gib(cost.device_mib)} "
            f"| {same if cost.same_s else 'none | '} |"
        )
    return "\n".join(lines)


@contextmanager
def peak_memory(every_s: float = 0.02) -> Iterator[list[int]]:
    """MiB of anonymous memory at its highest; 0 where the system does not tell."""
    peak, over = [0], threading.Event()
    status = Path("/proc/self/status")

    def watch() -> None:
        while not over.wait(every_s):
            for line in status.read_text().splitlines() if status.exists() else ():
                if line.startswith("RssAnon:"):
                    peak[0] = max(peak[0], int(line.split()[1]) // 1024)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def tiny() -> ModelConfig:
    """The 7B's shape with little in it; its vocabulary is whole."""
    return replace(
        FULL_SIZE,
        language=LanguageSizes(hidden_size=64, intermediate_size=128, layers=2, heads=4),
        vision=VisionSizes(56, 14, 64, 128, 3, 4, projection_dim=32),
        unet={**FULL_SIZE.unet, "block_out_channels": [32, 32, 64, 64], "layers_per_block": 1},
        vae={**FULL_SIZE.vae, "block_out_channels": [32] * 4, "layers_per_block": 1},
        max_new_tokens=8,
        picture_size=64,
    )


def _settings(steps: int) -> EditSettings:
    sampler: Literal["euler_ancestral", "dpmpp_2m"] = "euler_ancestral" if steps >= 50 else "dpmpp_2m"
    # "off": restoring is the same work in every mode.
    return EditSettings(7.5, 1.5, steps, seed=7, sampler=sampler, keep="off")


def _said(folder: Path, mode: str) -> Path:
    return folder / f"said-{mode.replace(':', '-')}.pt"


def _gib(mib: int) -> str:
    return f"{mib / 1024:.1f} GiB"


def _peaks(device: torch.device) -> tuple[int, int]:
    """MiB allocated and reserved on the device at most so far; 0 on a CPU."""
    if device.type != "cuda":
        return 0, 0
    return torch.cuda.max_memory_allocated(device) // MIB, torch.cuda.max_memory_reserved(device) // MIB


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _modes(arguments: argparse.Namespace) -> list[str]:
    chosen = DEFAULTS[torch.device(arguments.device).type]
    modes = arguments.modes.split(",") if arguments.modes else list(map(str, chosen))
    return [*modes, *(RIVALS if arguments.rivals else ())]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    on_gpu = torch.cuda.is_available()
    parser.add_argument("--tiny", action=argparse.BooleanOptionalAction, default=not on_gpu)
    parser.add_argument("--folder", type=Path, help="kept afterwards; a temporary one if left out")
    parser.add_argument("--device", default="cuda" if on_gpu else "cpu")
    parser.add_argument("--modes", help="separated by commas; the first is what the others are compared to")
    parser.add_argument("--rivals", action="store_true", help="other libraries' quantised linears as well")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--limit-s", type=float, default=180, help="for one mode")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except (MemoryError, RuntimeError) as error:
        sys.exit("out of memory" if is_out_of_memory(error) else f"{type(error).__name__}: {error}")
    except ModelError as error:
        sys.exit(str(error))
