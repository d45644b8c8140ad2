"""What a training step costs: seconds, samples a second, memory, how busy the GPU is, and with what.

    python -m benchmarks.training mini             the small model's end-to-end stage on random pictures, by
                                                   batch size, with CUDA graphs and without: 3 minutes
    python -m benchmarks.training full             the size of MGIE-7B on random weights, by option
    python -m benchmarks.training full --devices 2 the same networks shared by two GPUs
    python -m benchmarks.training                  both in toy size, on any CPU

Each case has a process of its own. Those of the small model compile side by side and then run one at a time.
Ends in one line of JSON. "busy" is the sum of all kernels' times over wall time; "waits" are the calls in
which the CPU waited for the GPU; "cpu_ms" is what each part of a step keeps the CPU for.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from torch import nn
from torch.autograd import DeviceType  # type: ignore[attr-defined]
from torch.profiler import ProfilerActivity, profile

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # for when this is run as a script

from mgie_engine.checkpoints.native import build  # noqa: E402
from mgie_engine.install.full_size import FULL_SIZE  # noqa: E402
from mgie_engine.lab.training import full, initial_weights, packing  # noqa: E402
from mgie_engine.lab.training.batch_loader import EncodedExample, ExampleEncoder, NoiseSample  # noqa: E402
from mgie_engine.lab.training.context import StageContext, TextTable  # noqa: E402
from mgie_engine.lab.training.dataset import SceneDataset, write_dataset  # noqa: E402
from mgie_engine.lab.training.diffusion_stage import DiffusionPass, LanguagePass, batches, columns  # noqa: E402
from mgie_engine.lab.training.latent_cache import LatentCache  # noqa: E402
from mgie_engine.lab.training.mini import IMAGE_TOKENS, mini_config, tiny_config  # noqa: E402
from mgie_engine.lab.training.recipe import Recipe  # noqa: E402
from mgie_engine.lab.training.trainer import Loss, Trainer  # noqa: E402
from mgie_engine.lab.training.vocabulary import train_vocabulary  # noqa: E402
from mgie_engine.model.diffusion import alphas_cumprod  # noqa: E402
from mgie_engine.text.prompting import Prompt, Prompter  # noqa: E402
from mgie_engine.text.tokenizer import Tokenizer  # noqa: E402

TOKENIZER = ROOT / "tests" / "mgie_engine" / "parity" / "published" / "tokenizer"
PARTS = ("feed", "learn", "clip", "optimize", "average")
WAITS = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize", "cudaMemcpy")
LIMIT_S = 480  # for one case, compiling included
MINI = ("256", "256 graphs", "256 ready", "768", "768 graphs")
FULL = ("8", "8 compiled", "8 average", "8 kept activations", "8 plain layout", "32", "32 compiled")
TINY = {"mini": ("4",), "full": ("2 average",)}


@dataclass(frozen=True, slots=True)
class Bench:
    """A trainer with something to train on."""

    trainer: Trainer
    loss: Loss
    batches: Iterator[Any]
    samples: int  # a step, over all processes


def main() -> None:
    """Run every case, report."""
    given = _arguments()
    if given.one:
        _one(given)
        return
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    report: dict[str, Any] = {"benchmark": "training", "device": device, "devices": given.devices}
    with tempfile.TemporaryDirectory(prefix="mgie-training-") as scratch:
        folder = given.folder or Path(scratch)
        for size in (given.size,) if given.size else ("mini", "full"):
            if size == "mini":
                prepare_world(folder, given.tiny)
            names = given.cases or (TINY[size] if given.tiny else {"mini": MINI, "full": FULL}[size])
            report[size] = run_cases(size, names, folder, given)
    sys.stdout.write(json.dumps(report) + "\n")


def run_cases(size: str, names: tuple[str, ...], folder: Path, given: argparse.Namespace) -> list[Any]:
    """Costs of the cases: the small model's are made ready side by side, the large one's in turn."""
    found = list[Any]()
    together = len(names) if size == "mini" and not given.tiny else 1
    for place in range(0, len(names), together):
        some = names[place : place + together]
        children = [_child(size, name, folder, given) for name in some]
        ready = [child.stdout is not None and child.stdout.readline() != "" for child in children]
        for name, child, is_ready in zip(some, children, ready, strict=True):
            told, _ = child.communicate("go\n" if is_ready else None, timeout=LIMIT_S)
            lines = told.splitlines()
            cost = json.loads(lines[-1]) if lines and not child.returncode else {"problem": child.returncode}
            found.append({"case": name} | cost)
            sys.stderr.write(json.dumps(found[-1]) + "\n")
    return found


def _child(size: str, name: str, folder: Path, given: argparse.Namespace) -> "subprocess.Popen[str]":
    several = ["torch.distributed.run", "--standalone", f"--nproc-per-node={given.devices}", "-m"]
    command = [sys.executable, "-m", *(several if given.devices > 1 else []), "benchmarks.training", size]
    command += ["--one", name, "--folder", str(folder), *(["--tiny"] if given.tiny else [])]
    command += ["--devices", str(given.devices)]
    return subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )


def _one(given: argparse.Namespace) -> None:
    """One case in this process: make ready, say so, wait for the word, measure."""
    torch.set_float32_matmul_precision("high")
    state = PartialState(cpu=not torch.cuda.is_available())
    make: Callable[..., Bench] = mini if given.size == "mini" else large
    bench = make(given.one, given.folder, given.tiny, state)
    _steps(bench, 2 if given.tiny else 4)
    if state.is_main_process:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
    state.wait_for_everyone()
    cost = measure(bench, 2 if given.tiny else 20)
    if state.is_main_process:
        sys.stdout.write(json.dumps(cost) + "\n")
    state.destroy_process_group()


def _steps(bench: Bench, count: int) -> None:
    before = bench.trainer.clock.step
    bench.trainer.fit(islice(bench.batches, count * bench.trainer.recipe.accumulate), bench.loss)
    assert bench.trainer.clock.step == before + count
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def measure(bench: Bench, steps: int) -> dict[str, Any]:
    """Time some steps, then look into a few more."""
    began, cpu = time.perf_counter(), time.process_time()
    _steps(bench, steps)
    step_s, cpu_s = (time.perf_counter() - began) / steps, (time.process_time() - cpu) / steps
    looked_at = max(steps // 5, 1)
    on_gpu = torch.cuda.is_available()
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    with profile(activities=activities) as looking:
        _steps(bench, looked_at)
    events = list(looking.events() or [])
    # Spans that the CPU named are told of the GPU as well, around the kernels in them.
    spans = {event.name for event in events if event.device_type == DeviceType.CPU}
    kernels = [event for event in events if event.device_type == DeviceType.CUDA and event.name not in spans]
    busy_s = sum(event.time_range.elapsed_us() for event in kernels) / 1e6 / looked_at
    top = dict[str, float]()
    for kernel in kernels:
        top[kernel.name[:80]] = (
            top.get(kernel.name[:80], 0) + kernel.time_range.elapsed_us() / 1e3 / looked_at
        )
    parts = dict.fromkeys(PARTS, 0.0)
    for event in events:
        if event.name in parts and event.device_type == DeviceType.CPU:
            parts[event.name] += event.time_range.elapsed_us() / 1e3 / looked_at
    return {
        "step_s": round(step_s, 4),
        "samples_per_s": round(bench.samples / step_s, 1),
        "process_cpu_s": round(cpu_s, 4),
        "peak_gib": round(torch.cuda.max_memory_allocated() / 2**30, 2) if on_gpu else 0.0,
        "busy": round(busy_s / step_s, 3),
        "kernels": len(kernels) // looked_at,
        "launches": sum("Launch" in event.name for event in events) // looked_at,
        "waits": sum(event.name in WAITS for event in events) / looked_at,
        "cpu_ms": {name: round(value, 2) for name, value in parts.items()},
        "top_ms": {n: round(v, 3) for n, v in sorted(top.items(), key=lambda item: -item[1])[:15]},
    }


def prepare_world(folder: Path, tiny: bool) -> None:
    """A vocabulary and a few stories, told once for all cases."""
    if not (folder / "world").is_dir():
        train_vocabulary(folder, 300 if tiny else 3000)
        write_dataset(
            folder / "world", packing.prompter(folder, IMAGE_TOKENS), 24 if tiny else 2000, chunk=125
        )


def mini(case: str, folder: Path, tiny: bool, state: PartialState) -> Bench:
    """The end-to-end stage as it is, but on random latents. "ready": the same batch again and again."""
    size, *words = case.split(" ", 1)
    option = " ".join(words)
    config = (tiny_config if tiny else mini_config)(len(Tokenizer.read(folder)))
    recipe = Recipe.read("mini-diffusion", batch_size=int(size), compile=not tiny, graphs=option == "graphs")
    recipe = Recipe.read("mini-diffusion", **_endless(recipe, 0.0 if option == "no average" else recipe.ema))
    dataset = SceneDataset.load(sorted((folder / "world").glob("*.npz")))
    run = StageContext(config, recipe, dataset, _scratch(folder, case), state.device)
    networks = build(config)
    modules = nn.ModuleDict({"mllm": networks.mllm, "edit_head": networks.edit_head, "unet": networks.unet})
    trainer = run.trainer(modules.to(state.device))
    alphas = alphas_cumprod(config.noise).to(state.device)
    reading = run.compiled(LanguagePass(modules["mllm"]))
    painting = run.compiled(DiffusionPass(modules["edit_head"], modules["unet"], config.noise, alphas))

    def loss(modules: nn.ModuleDict, batch: Any) -> dict[str, torch.Tensor]:
        texts, paintings = batch
        words, states = reading(*columns(texts))
        edit = painting(states, modules["mllm"].visual_embeddings, *columns(paintings))
        return {"total": words + edit, "instruction": words, "edit": edit}

    fed = batches(run, TextTable(dataset, state.device), random_gallery(run))
    return Bench(trainer, loss, _again(next(fed)) if option == "ready" else fed, recipe.batch_size)


def random_gallery(run: StageContext) -> LatentCache:
    """A gallery of noise, as large as the world's would be."""
    config, device, count = run.config, run.device, len(run.dataset.is_photo)
    side, seen = config.picture_size // 8, config.vision.image_size
    latents = torch.randn(count, config.latent_channels, side, side, dtype=torch.bfloat16, device=device)
    pixels = torch.randint(0, 256, (count, 3, seen, seen), dtype=torch.uint8, device=device)
    changed = torch.rand(len(run.dataset.kind), 1, side, side, device=device) < 0.1
    return LatentCache(latents, pixels, changed)


def large(case: str, folder: Path, tiny: bool, state: PartialState) -> Bench:
    """The full size on random weights and noise for pictures; several devices share the networks."""
    size, *words = case.split(" ", 1)
    option, config = " ".join(words), FULL_SIZE
    tokenizer = Tokenizer.read(TOKENIZER)
    recipe = Recipe.read("release", batch_size=int(size) * state.num_processes, compile=option == "compiled")
    recipe = Recipe.read("release", **_endless(recipe, 0.999 if option == "average" else 0.0))
    options = full.Options(
        micro_batch=int(size),
        checkpointing=option != "kept activations",
        channels_last=option != "plain layout",
        side=64 if tiny else 256,
    )
    source = initial_weights.random_weights(
        tiny_config(len(tokenizer)) if tiny else config, tokenizer, state.device, seed=0
    )
    first = initial_weights.load(source, state.device, torch.bfloat16)
    shared = state.num_processes > 1
    task = full.build_task(first, options, state.device, compiled=recipe.compile, shared=shared)
    modules = nn.ModuleDict(first.networks.parts())
    where = _scratch(folder, case)
    trainer = Trainer(recipe, modules, where, cpu=state.device.type == "cpu", saves=where)

    def loss(_: nn.ModuleDict, batch: Any) -> dict[str, torch.Tensor]:
        found: dict[str, torch.Tensor] = task(batch.to(state.device))
        return found

    batch = random_lot(first, options)
    return Bench(trainer, loss, _again(batch), recipe.batch_size)


def random_lot(first: initial_weights.InitialWeights, options: full.Options) -> Any:
    """A lot of noise for pictures, with texts of about the usual length."""
    config, size, side = first.config, options.micro_batch, options.side
    encoder = ExampleEncoder(Prompter(first.tokenizer, config.vision.tokens), config.vision, side)
    text = encoder.prompter.example(Prompt("make the frame red"), "The frame of the picture is red. " * 4)
    seen, seen_side = torch.randn(3, config.vision.image_size, config.vision.image_size), side
    picture = torch.rand(3, seen_side, seen_side) * 2 - 1
    shape = (size, config.latent_channels, side // 8, side // 8)
    steps = torch.randint(0, config.noise.train_timesteps, (size,))
    noise_sample = NoiseSample(torch.randn(shape), torch.randn(shape), steps, torch.rand(size))
    return encoder.batch([EncodedExample(text, seen, picture, picture)] * size, noise_sample)


def _endless(recipe: Recipe, ema: float) -> dict[str, Any]:
    """The recipe's fields with as many steps as may be asked for, and hardly any word about them."""
    kept = {"batch_size": recipe.batch_size, "compile": recipe.compile, "graphs": recipe.graphs}
    return kept | {"steps": 10**6, "ema": ema, "save_every": 0, "log_every": 50}


def _again(thing: Any) -> Iterator[Any]:
    while True:
        yield thing


def _scratch(folder: Path, case: str) -> Path:
    place = folder / "cases" / case.replace(" ", "-")
    place.mkdir(parents=True, exist_ok=True)
    return place


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("size", nargs="?", choices=("mini", "full"), help="both if left out")
    tiny = not torch.cuda.is_available()
    parser.add_argument("--tiny", action=argparse.BooleanOptionalAction, default=tiny)
    parser.add_argument("--cases", nargs="+", help=f"of {', '.join(dict.fromkeys(MINI + FULL))}")
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="kept afterwards; a temporary one if left out")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
