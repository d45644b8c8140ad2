"""What becomes of a person's picture at its own size: tonal edits, edits of scenes, chains of turns.

    python benchmarks/fidelity.py [FOLDER OF PICTURES] [--sides 256 512] [--through-model]
    python benchmarks/fidelity.py --scenes 100 --sizes 1024 2048 [--exact]
    python benchmarks/fidelity.py --chains 8 --sizes 1024 --chart docs/images/chains.svg
    python benchmarks/fidelity.py --framings 24 [FOLDER OF PICTURES] [--sizes 1024]
    python benchmarks/fidelity.py --crops docs/images/fidelity

Tonal: four edits are made exactly at 12 megapixels, and once more on the small square a model would see. From
the original and the small pair alone the full-size edit is to be had: by enlarging the small result, by
adding the enlarged difference, and by `restore`, which is also given a small result with 30 dB of noise and,
with --through-model, one that went through the autoencoder. Without a folder a drawn scene is measured;
pictures of the folder are enlarged to 12 megapixels first. --scenes: a model's edits of drawn scenes, judged
as painted, stretched and restored; with --exact the right goals through its autoencoder. --chains: ten idle
and ten real turns in a row. --framings: pictures that are not square, squeezed,
cropped or in their own aspect: a model's edits of wide scenes, and the exact tonal edits through its
autoencoder. --crops: pictures for the documentation. Ends in one line of JSON.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # for when this is run as a script


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", help="pictures to measure in place of the scene")
    parser.add_argument("--sides", type=int, nargs="+", default=[256, 512], help="of the square a model sees")
    parser.add_argument("--through-model", action="store_true", help="also through the model's autoencoder")
    parser.add_argument("--scenes", type=int, metavar="N", help="edits of drawn scenes")
    parser.add_argument("--exact", action="store_true", help="scenes painted without fault")
    parser.add_argument("--chains", type=int, metavar="N", help="chains of ten turns on drawn scenes")
    parser.add_argument("--framings", type=int, metavar="N", help="edits of wide scenes, in each framing")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024], help="of the scenes, in pixels")
    parser.add_argument("--chart", type=Path, metavar="FILE.svg", help="the chains as curves")
    parser.add_argument("--crops", type=Path, metavar="FOLDER", help="write side-by-side crops")
    parser.add_argument("--model", default="mgie-mini")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as in the engine, and before torch is imported
    mode = next(
        (name for name in ("scenes", "chains", "framings", "crops") if getattr(arguments, name)), "tonal"
    )
    report = MODES[mode](arguments)
    sys.stdout.write(json.dumps({"benchmark": "fidelity", "mode": mode} | report) + "\n")


def tonal(arguments: argparse.Namespace) -> dict[str, Any]:
    """Exact edits of 12-megapixel pictures."""
    import torch

    from benchmarks.keeping import tonal
    from benchmarks.keeping.pictures import pictures, scene

    trip = autoencoder(arguments) if arguments.through_model else None
    rows = [
        {"picture": name, "side": side, "edit": edit} | tonal.measure(picture, side, edit, trip)
        for name, picture in pictures(arguments.folder)
        for side in arguments.sides
        for edit in tonal.EDITS
    ]
    show(rows)
    whole = scene(4000, 3000)
    return {
        "threads": torch.get_num_threads(),
        "least_db": min(row["restored"] for row in rows),
        "least_noisy_db": min(row["restored_noisy"] for row in rows),
        "most_s": max(row["s"] for row in rows),
        "most_cpu_s": max(row["cpu_s"] for row in rows),
        "delivery": {str(side): tonal.delivery(whole, side) for side in arguments.sides},
        "rows": rows,
    }


def autoencoder(arguments: argparse.Namespace) -> Any:
    """The round trip of a small picture through the autoencoder of the model."""
    from benchmarks.keeping.painting import load

    model = load(arguments.model, arguments.device)
    return lambda picture: model.decode(model.encode([picture]) * model.config.latent_scale)[0]


def scenes(arguments: argparse.Namespace) -> dict[str, Any]:
    """A model's edits of drawn scenes."""
    from benchmarks.keeping import painting, scenes
    from mgie_engine.lab.evaluation.workers import worker_count, worker_pool

    mgie, count = painting.load(arguments.model, arguments.device), arguments.scenes
    with worker_pool(worker_count(mgie.device)) as pool_map:
        rows = [scenes.measure(mgie, count, size, arguments.exact, pool_map) for size in arguments.sizes]
    show(rows)
    return {"model": arguments.model, "exact": arguments.exact, "rows": rows}


def chains(arguments: argparse.Namespace) -> dict[str, Any]:
    """Idle and real turns in a row, at the first of the sizes."""
    from benchmarks.keeping import chains, painting
    from mgie_engine.lab.charts import curves

    mgie, size = painting.load(arguments.model, arguments.device), arguments.sizes[0]
    idle = chains.idle(mgie, arguments.chains, size)
    real = chains.real(mgie, arguments.chains, size)
    show([{"turn": turn + 1} | of_turn(idle, turn) for turn in range(chains.TURNS)])
    show([{"turn": turn + 1} | of_turn(real, turn) for turn in range(chains.TURNS)])
    if arguments.chart:
        panels = {
            "Ten turns that ask for nothing, dB": {way: idle[f"{way}_db"] for way in ("delivered", "raw")},
            "Ten edits: what none of them meant, dB": {
                way: real[f"{way}_kept_db"] for way in ("restored", "raw")
            },
        }
        arguments.chart.write_text(curves(panels), "utf-8")
    return {"model": arguments.model, "size": size, "chains": arguments.chains, "idle": idle, "real": real}


def framings(arguments: argparse.Namespace) -> dict[str, Any]:
    """What becomes of a picture that is not square, in each framing."""
    from benchmarks.keeping import framings, painting
    from benchmarks.keeping.pictures import pictures
    from mgie_engine.serving.framing import Framing

    mgie, size = painting.load(arguments.model, arguments.device), arguments.sizes[0]
    rows = [framings.wide_scenes(mgie, arguments.framings, size, one) for one in Framing]
    tones = [
        {"picture": name} | framings.tonal_edits(mgie, picture, one)
        for name, picture in pictures(arguments.folder)
        for one in Framing
    ]
    show(rows)
    show(tones)
    return {"model": arguments.model, "rows": rows, "tones": tones}


def crops(arguments: argparse.Namespace) -> dict[str, Any]:
    """Pictures for the documentation."""
    from benchmarks.keeping.crops import write

    files = write(arguments.crops, autoencoder(arguments))
    return {"files": {file.name: file.stat().st_size for file in files}}


def of_turn(curves: dict[str, list[float]], turn: int) -> dict[str, float]:
    """One row of a table."""
    return {name: round(curve[turn], 2) for name, curve in curves.items()}


def show(rows: list[dict[str, Any]]) -> None:
    """A table, as Markdown has it."""
    for cells in table(rows):
        sys.stdout.write("| " + " | ".join(map(str, cells)) + " |\n")
    sys.stdout.write("\n")
    sys.stdout.flush()


def table(rows: list[dict[str, Any]]) -> Iterator[list[Any]]:
    """The head, the line under it, and the rows."""
    yield list(rows[0])
    yield ["---"] * len(rows[0])
    yield from (list(row.values()) for row in rows)


MODES = {"tonal": tonal, "scenes": scenes, "chains": chains, "framings": framings, "crops": crops}

if __name__ == "__main__":
    main()
