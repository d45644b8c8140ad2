"""MGIE-7B at full size, the published path beside ours: alone, in crowds, from the start, and what it takes.

    python -m benchmarks.full_size                     random weights of full size: 17 GB of disk, a GPU
    python -m benchmarks.full_size --tiny              the same in a minute on any CPU
    python -m benchmarks.full_size --folder /somewhere --plot docs/full-size.png --level fast

The published path is transformers' `generate` with hidden states, the edit head and diffusers'
InstructPix2Pix pipeline, one edit after another. Ours is the engine as the bot runs it, a process of its own
that starts with an empty cache of kernels. A crowd is that many people who all ask at the same moment;
who finds no free slot waits. Random weights never emit the end token, so every reading has all its tokens.
Ends in one line of JSON.
"""

import argparse
import io
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # for when this is run as a script
if __name__ == "__main__":
    # No engine needs these two, but diffusers and transformers import what they find, for four seconds.
    sys.modules |= dict.fromkeys(("peft", "sklearn"))  # type: ignore[arg-type]

import torch  # noqa: E402
from PIL import Image  # noqa: E402

from conversations.settings import EditSettings  # noqa: E402
from mgie_engine.config import ModelConfig, resolve_model  # noqa: E402
from mgie_engine.edits import EditRequest, EditResult, Progress  # noqa: E402
from mgie_engine.errors import EngineError  # noqa: E402
from mgie_engine.serving.loader import ModelChoice  # noqa: E402

if TYPE_CHECKING:
    from mgie_engine.serving.engine import Engine

STEPS, PEOPLE = (100, 20), (1, 8, 32)
UNET_TFLOP, ENCODE_TFLOP, DECODE_TFLOP, PROMPT_TFLOP = 0.8034, 1.12, 2.52, 4.56  # per sample, at full size
LLAMA_GB = 13.48  # read for every token, in fp16
GIB = 2**30


def main() -> None:
    """Make a checkpoint, measure both paths in processes of their own, report."""
    arguments = _arguments()
    if arguments.part:
        measure = {"ours": ours, "published": published}[arguments.part]
        sys.stdout.write(json.dumps(measure(arguments)) + "\n")
        return
    from benchmarks.modes import tiny
    from mgie_engine.install.full_size import FULL_SIZE

    with tempfile.TemporaryDirectory(prefix="mgie-full-size-") as scratch:
        folder = arguments.folder or Path(scratch)
        config = tiny() if arguments.tiny else FULL_SIZE
        report: dict[str, Any] = {"benchmark": "full_size", "device": _device_name(arguments.device)}
        report["making_s"] = make(folder, config, torch.device(arguments.device))
        parts = ["ours"] if arguments.ours_only else ["published", "ours"]
        for part in parts:
            with tempfile.TemporaryDirectory(prefix="mgie-kernels-") as cache:
                report[part] = _apart(part, folder, arguments, Path(cache))
    if arguments.plot:
        from benchmarks.full_size_plot import plot

        plot(report, arguments.plot)
    sys.stdout.write(json.dumps(report) + "\n")


def make(folder: Path, config: ModelConfig, device: torch.device) -> float:
    """A random model in our layout; how long it took, 0 if it is there."""
    from benchmarks.modes import TOKENIZER, random_tensors
    from mgie_engine.checkpoints import native
    from mgie_engine.text.tokenizer import Tokenizer

    if (folder / "config.json").is_file():
        return 0.0
    began = time.monotonic()
    tokenizer = Tokenizer.read(TOKENIZER)
    tensors = random_tensors(config, tokenizer, device)
    native.write_model(config, tokenizer, ((name, tensors[name]) for name in tensors), folder, "fp16")
    return round(time.monotonic() - began, 1)


def ours(arguments: argparse.Namespace) -> dict[str, Any]:
    """The engine: start, alone, crowds, memory."""
    logging.basicConfig(level=logging.INFO)
    model, memory, level = str(arguments.folder), arguments.memory, arguments.level
    engine = ModelChoice(model, device=arguments.device, memory=memory, level=level).build()
    ready_s = time.time() - arguments.started
    starting = peaks(arguments.device)
    if starting:
        torch.cuda.reset_peak_memory_stats()
    request = requests(1, 20, arguments)[0]
    with engine:
        crowd(engine, [request])
        report = {
            "level": engine.level,
            "ready_s": round(ready_s, 2),
            "first_edit_s": round(time.time() - arguments.started, 2),
            "alone": {str(steps): alone(engine, steps, arguments) for steps in arguments.steps},
        }
        crowds: dict[str, Any] = {}
        for people in arguments.people:
            for steps in arguments.steps:
                with busy_share(engine) as share:
                    found = crowd(engine, requests(people, steps, arguments))
                crowds[f"{people} x {steps}"] = found | share
        report |= company(engine, arguments)
    return report | {"crowds": crowds, "starting": starting} | peaks(arguments.device)


def alone(engine: "Engine", steps: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """One edit while nothing else goes on, the median of several."""
    found = [crowd(engine, requests(1, steps, arguments)) for _ in range(arguments.repeats)]
    edit = sorted(found, key=lambda one: one["p50_s"])[len(found) // 2]
    stages: dict[str, float] = edit["stages_s"]
    return {
        "edit_s": edit["p50_s"],
        "all_s": [one["p50_s"] for one in found],
        "preview_s": edit["preview_p50_s"],
        "stages_s": stages,
        "tflop_per_s": round(_tflop(steps) / edit["p50_s"], 1),
        "reading_tb_per_s": round(LLAMA_GB * 97 / 1000 / stages["reading"], 2),
        "painting_tflop_per_s": round(3 * steps * UNET_TFLOP / stages["painting"], 1),
    }


def crowd(engine: "Engine", asked: list[EditRequest]) -> dict[str, Any]:
    """People who all ask at once: throughput, and how long they wait for pictures and previews."""
    waiting, done, previews = list(enumerate(asked)), dict[int, float](), dict[int, float]()
    stages: list[dict[str, float]] = []
    began = time.monotonic()
    while waiting or engine.busy:
        while waiting and engine.under_way < engine.suitable_slots:
            engine.admit(*waiting.pop(0))
        for key, news in engine.step():
            if isinstance(news, EngineError):
                raise news
            if isinstance(news, EditResult):
                done[key] = time.monotonic() - began
                stages.append(news.seconds)
            elif isinstance(news, Progress) and news.preview:
                previews.setdefault(key, time.monotonic() - began)
    wall_s = time.monotonic() - began
    steps = asked[0].settings.steps
    return {
        "edits_per_s": round(len(done) / wall_s, 3),
        "p50_s": round(statistics.median(done.values()), 3),
        "p99_s": round(sorted(done.values())[min(len(done) - 1, int(0.99 * len(done)))], 3),
        "preview_p50_s": round(statistics.median(previews.values()), 3) if previews else None,
        "stages_s": {s: round(statistics.median(one[s] for one in stages), 3) for s in stages[0]},
        "tflop_per_s": round(len(done) * _tflop(steps) / wall_s, 1),
    }


def company(engine: "Engine", arguments: argparse.Namespace) -> dict[str, Any]:
    """A newcomer's reading alone and beside 8 who paint, and one edit alone and among 31 others."""
    if engine._fast is None:
        return {}
    many = requests(max(arguments.people), 20, arguments)
    with watched(engine) as alone_:
        alone_s = crowd(engine, many[:1])["stages_s"]["reading"]
    with watched(engine) as among:
        crowd(engine, many)
    (text, guidance, latents), (text_among, guidance_among, latents_among) = alone_[0], among[0]
    for key, painter in enumerate(requests(8, 200, arguments)):
        engine.admit(key, painter)
    painting = set[int]()
    while len(painting) < 8:
        painting |= {key for key, news in engine.step() if isinstance(news, Progress) and news.step > 2}
    engine.admit(99, many[0])
    beside_s = None
    while beside_s is None:
        engine.step()
        beside_s = engine._slots[99].seconds.get("reading")
    for key in (*range(8), 99):
        engine.cancel(key)
    return {
        "newcomer": {"reading_alone_s": alone_s, "reading_beside_8_s": beside_s},
        "among_others": {
            "others": len(many) - 1,
            "same_text": text == text_among,
            "same_guidance_bytes": torch.equal(guidance, guidance_among),
            "latents_off": float((latents - latents_among).norm() / latents.norm()),
        },
    }


@contextmanager
def watched(engine: "Engine") -> Iterator[dict[int, tuple[str, torch.Tensor, torch.Tensor]]]:
    """The text, the guidance and the painted latents of every edit made meanwhile."""
    fast, seen = engine._fast, dict[int, tuple[str, torch.Tensor, torch.Tensor]]()
    assert fast is not None
    finish = fast.finish

    def watching(painting: Any, *rest: Any) -> Any:
        slot = next(slot for slot in engine._slots.values() if slot.painting is painting)
        assert slot.reading is not None
        seen[slot.key] = slot.reading.expressive, slot.reading.guidance.clone(), painting.latents
        return finish(painting, *rest)

    fast.finish = watching  # type: ignore[method-assign, assignment]
    yield seen
    fast.finish = finish  # type: ignore[method-assign]


@contextmanager
def busy_share(engine: "Engine") -> Iterator[dict[str, Any]]:
    """How many edits were in the denoising steps, and how long those took on the device."""
    fast, share = engine._fast, dict[str, Any]()
    if fast is None:
        yield share
        return
    launch, sizes = fast.painting._launch, list[int]()

    def counted(paintings: Any, parts: int) -> None:
        sizes.append(len(paintings))
        launch(paintings, parts)

    fast.painting._launch = counted  # type: ignore[method-assign]
    yield share
    fast.painting._launch = launch  # type: ignore[method-assign]
    share |= {"steps_launched": len(sizes), "edits_per_step": round(sum(sizes) / len(sizes), 2)}


def published(arguments: argparse.Namespace) -> dict[str, Any]:
    """The published path: one edit after another."""
    from benchmarks.published_path import PublishedPath
    from mgie_engine.checkpoints import native

    location = resolve_model(str(arguments.folder))
    path = PublishedPath(native.load_model(location, arguments.device, _dtype(arguments)))
    shown = picture(path.mgie.config.picture_size)
    found: dict[str, Any] = {}
    for steps in arguments.steps:
        path.edit(shown, "make the ball red", 1)
        seconds = []
        for _ in range(arguments.repeats):
            began = time.monotonic()
            path.edit(shown, "make the ball red", steps)
            seconds.append(round(time.monotonic() - began, 3))
        edit_s = statistics.median(seconds)
        found[str(steps)] = {
            "edit_s": edit_s,
            "all_s": seconds,
            "edits_per_s": round(1 / edit_s, 3),
            "tflop_per_s": round(_tflop(steps) / edit_s, 1),
        }
    return {"alone": found} | peaks(arguments.device)


def requests(count: int, steps: int, arguments: argparse.Namespace) -> list[EditRequest]:
    """Different instructions for one picture, with `keep` off: the same work for every path."""
    side = ModelConfig.from_json((arguments.folder / "config.json").read_text()).picture_size
    sampler: Any = "euler_ancestral" if steps >= 50 else "dpmpp_2m"
    return [
        EditRequest(
            png(side),
            f"make ball number {number} red",
            EditSettings(7.5, 1.5, steps, seed=number, sampler=sampler, keep="off"),
        )
        for number in range(count)
    ]


def picture(side: int) -> Image.Image:
    """Something in colour to edit, as photos are; a grey one takes longer to finish."""
    ramp = Image.linear_gradient("L")
    colours = Image.merge("RGB", (ramp, ramp.rotate(90), Image.radial_gradient("L")))
    return colours.resize((side, side))


def png(side: int) -> bytes:
    """The same as a file."""
    file = io.BytesIO()
    picture(side).save(file, "PNG")
    return file.getvalue()


def peaks(device: str) -> dict[str, Any]:
    """The most that was allocated, and that was reserved, on the device."""
    if not device.startswith("cuda"):
        return {}
    allocated, reserved = torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved()
    return {"peak_gib": round(allocated / GIB, 2), "reserved_gib": round(reserved / GIB, 2)}


def _tflop(steps: int) -> float:
    return PROMPT_TFLOP + ENCODE_TFLOP + 2 * DECODE_TFLOP + 3 * steps * UNET_TFLOP


def _apart(part: str, folder: Path, arguments: argparse.Namespace, cache: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.full_size", "--part", part, "--folder", str(folder)]
    command += ["--device", arguments.device, "--memory", arguments.memory, "--level", arguments.level]
    command += ["--repeats", str(arguments.repeats), "--started", str(time.time())]
    command += ["--people", *map(str, arguments.people), "--steps", *map(str, arguments.steps)]
    environment = os.environ | {"TRITON_CACHE_DIR": str(cache)}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        return {"problem": f"ended with {done.returncode}"}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _dtype(arguments: argparse.Namespace) -> torch.dtype:
    return torch.float16 if arguments.device.startswith("cuda") else torch.float32


def _device_name(device: str) -> str:
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    on_gpu = torch.cuda.is_available()
    parser.add_argument("--tiny", action=argparse.BooleanOptionalAction, default=not on_gpu)
    parser.add_argument("--folder", type=Path, help="kept afterwards; a temporary one if left out")
    parser.add_argument("--device", default="cuda" if on_gpu else "cpu")
    parser.add_argument("--memory", default="auto", help="a memory mode")
    parser.add_argument("--level", default="auto", help="of ours: exact, same, fast")
    parser.add_argument("--people", type=int, nargs="+", default=PEOPLE)
    parser.add_argument("--steps", type=int, nargs="+", default=STEPS)
    parser.add_argument("--repeats", type=int, default=3, help="of one edit alone")
    parser.add_argument("--ours-only", action="store_true", help="leave the published path out")
    parser.add_argument("--plot", type=Path, help="a picture of the report")
    parser.add_argument("--part", choices=("ours", "published"), help=argparse.SUPPRESS)
    parser.add_argument("--started", type=float, default=0.0, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
