"""Are barred pictures found again, and only those?

    python -m benchmarks.picture_marks [FOLDER]                # photos; procedural ones fill up to 20
    python -m benchmarks.picture_marks FOLDER --others 500     # fewer other pictures; 5,000 take some minutes
    python -m benchmarks.picture_marks FOLDER --seeds 20000000 30000000    # two sets of other pictures
    python -m benchmarks.picture_marks --choosing              # on the pictures by which the bounds were set

129 edits of test scenes and one tone on each photo: the result is barred, as moderators do it. Counted are
sources that are barred with it (0 wanted), results found again after each change (0.95 wanted), and matches
among other pictures (0 wanted): half scenes and half procedural photos, and scenes with the backdrop of a
barred one and other objects. The bounds in bot/policy/picture_marks.py were set with --choosing, whose
stories, photos and other pictures are none of those that are measured else. Last comes the time of a look-up
among 1,000 barred pictures. Ends in one line of JSON.
"""

import argparse
import io
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path
from random import Random

import numpy as np
import torch
from PIL import Image, ImageOps

from bot.policy.picture_marks import BarredPicture, barred_picture, find_barred, views_of
from mgie_engine.lab.scenes.command import steps_from
from mgie_engine.lab.scenes.expressive_text import Split
from mgie_engine.lab.scenes.scene import random_scene
from mgie_engine.lab.scenes.scene_edits import State
from mgie_engine.lab.scenes.scene_images import pictures, to_image
from mgie_engine.restore.tones import ToneSpec, apply

SCENES, PHOTOS, OTHERS, REDRAWN = 129, 20, 5000, 39
LISTED, LOOKED_UP = 1000, 100  # barred pictures, and pictures that are looked for among them
BATCH = 50
TONES = (
    ToneSpec("darker", 1.0), ToneSpec("warm", 1.0), ToneSpec("grey", 1.0), ToneSpec("brighter", 0.5),
    ToneSpec("vivid", 1.0), ToneSpec("darker", 1.0, "left"), ToneSpec("cool", 1.0), ToneSpec("contrast", 1.0),
    ToneSpec("sepia", 1.0), ToneSpec("warm", 1.0, "top"),
)  # fmt: skip
Pair = tuple[bytes, bytes]  # source and result


@dataclass(frozen=True, slots=True)
class Seeds:
    """Where a set of pictures begins."""

    story: int
    split: Split
    photo: int
    other: int


MEASURED = Seeds(0, "test", 0, 1_000_000)
CHOOSING = Seeds(500, "train", 900_000, 7_000_000)


def cropped(left: float, top: float, right: float, bottom: float) -> Callable[[Image.Image], Image.Image]:
    """Without these shares of the width and height."""

    def cut(picture: Image.Image) -> Image.Image:
        width, height = picture.size
        far = (1 - right) * width, (1 - bottom) * height
        return picture.crop((round(left * width), round(top * height), round(far[0]), round(far[1])))

    return cut


def bordered(share: float, colour: str) -> Callable[[Image.Image], Image.Image]:
    """With a frame of that share of the width."""
    return lambda picture: ImageOps.expand(picture, round(share * picture.width), colour)


def scaled(width: float, height: float) -> Callable[[Image.Image], Image.Image]:
    """At another size."""
    return lambda picture: picture.resize((round(width * picture.width), round(height * picture.height)))


def jpeg_60(picture: Image.Image) -> Image.Image:
    """Compressed with loss."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=60)
    return Image.open(file)


CHANGES: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "crop 10 % left": cropped(0.1, 0, 0, 0),
    "crop 10 % top": cropped(0, 0.1, 0, 0),
    "crop 5 % each side": cropped(0.05, 0.05, 0.05, 0.05),
    "crop 10 % each side": cropped(0.1, 0.1, 0.1, 0.1),
    "crop 7 % of a corner": cropped(0.07, 0.07, 0, 0),
    "crop 3, 8, 1 and 6 %": cropped(0.03, 0.08, 0.012, 0.062),
    "mirror": ImageOps.mirror,
    "black border 8 %": bordered(0.08, "black"),
    "white border 5 %": bordered(0.05, "white"),
    "JPEG 60": jpeg_60,
    "half size": scaled(0.5, 0.5),
    "1.5 times the size": scaled(1.5, 1.5),
    "squeezed to 80 %": scaled(1, 0.8),
    "mirror, JPEG 60, half size": lambda picture: jpeg_60(scaled(0.5, 0.5)(ImageOps.mirror(picture))),
    "crop 4 % each side, mirror, JPEG 60": lambda picture: jpeg_60(
        ImageOps.mirror(cropped(0.04, 0.04, 0.04, 0.04)(picture))
    ),
}


def png(picture: Image.Image) -> bytes:
    """The picture as a file."""
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def scene_pairs(wanted: int, seeds: Seeds = MEASURED) -> list[Pair]:
    """Test scenes before and after edits that change something."""
    return [pair for pair, _ in edited_scenes(wanted, seeds)]


def edited_scenes(wanted: int, seeds: Seeds) -> Iterator[tuple[Pair, State]]:
    """Scenes before and after edits that change something, and the result as data."""
    found = 0
    for story, step in steps_from(seeds.story, seeds.split):
        if found == wanted:
            break
        states = story.states[step.before], story.states[step.after]
        before, goal = (png(to_image(pixels)) for pixels in pictures(states, 256))
        if before != goal:
            found += 1
            yield (before, goal), states[1]


def redrawn(state: State, seeds: Sequence[int]) -> Iterator[bytes]:
    """A scene with the same backdrop and tones, and other objects."""
    others = [replace(state.drawn, objects=random_scene(Random(seed)).objects) for seed in seeds]
    drawn = pictures([replace(state, scene=scene) for scene in others], 128)
    yield from (png(to_image(pixels)) for pixels in drawn)


def photo_pairs(folder: Path | None, seeds: Seeds = MEASURED) -> Iterator[Pair]:
    """Photos before and after a tone: first the folder's, then procedural ones."""
    files = sorted(path for path in folder.iterdir() if path.is_file())[:PHOTOS] if folder else []
    photos = [opened(path) for path in files]
    painted = (to_image(pictures([State(None, photo=seed)], 256)[0]) for seed in count(seeds.photo))
    for number, photo in enumerate([*photos, *islice(painted, PHOTOS - len(photos))]):
        pixels = torch.from_numpy(np.array(photo)).movedim(-1, 0)[None] / 255
        yield png(photo), png(to_image(apply(pixels, [(TONES[number % len(TONES)],)])[0]))


def opened(path: Path) -> Image.Image:
    """A photo, at most 640 pixels wide and high."""
    with Image.open(path) as file:
        photo = ImageOps.exif_transpose(file).convert("RGB")
    photo.thumbnail((640, 640))
    return photo


def other_pictures(wanted: int, first: int) -> Iterator[bytes]:
    """Scenes and procedural photos that are in no pair."""
    end = first + wanted
    for start in range(first, end, BATCH):
        numbers = range(start, min(start + BATCH, end))
        states = [State(None, photo=n) if n % 2 else State(random_scene(Random(n))) for n in numbers]
        yield from (png(to_image(pixels)) for pixels in pictures(states, 128))


def share_found(barred: Sequence[BarredPicture], pairs: Sequence[Pair]) -> dict[str, float]:
    """How many of the results are found again after each change."""
    shares = {}
    for name, change in CHANGES.items():
        found = [
            mark.matches(views_of(png(change(Image.open(io.BytesIO(result))))))
            for mark, (_, result) in zip(barred, pairs, strict=True)
        ]
        shares[name] = round(sum(found) / max(1, len(found)), 3)
    return shares


def look_up_ms(listed: Sequence[BarredPicture], looked_for: Sequence[bytes]) -> tuple[float, float]:
    """The mean and the longest processor time to look a picture up."""
    marks = {str(number): mark for number, mark in enumerate(listed)}
    times = []
    for picture in looked_for:
        started = time.process_time()
        find_barred(picture, marks)
        times.append((time.process_time() - started) * 1000)
    return round(sum(times) / len(times), 1), round(max(times), 1)


def bytes_of(marks: Sequence[BarredPicture]) -> int:
    """The memory of these marks."""
    kept = [each for mark in marks for each in (mark.own, *mark.sources)]
    arrays = (array for m in kept for array in (m.edges, m.colours, m.cells) if array is not None)
    return sum(mark.few_colours.nbytes for mark in marks) + sum(array.nbytes for array in arrays)


def main() -> None:
    """Print the table and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="photos")
    parser.add_argument("--others", type=int, default=OTHERS, help="other pictures of a set")
    parser.add_argument("--redrawn", type=int, default=REDRAWN, help="other objects in each barred scene")
    parser.add_argument("--seeds", type=int, nargs="+", help="where each set of other pictures begins")
    parser.add_argument(
        "--choosing", action="store_true", help="measure the pictures by which bounds are set"
    )
    chosen = parser.parse_args()
    seeds = CHOOSING if chosen.choosing else MEASURED
    edits = list(edited_scenes(SCENES, seeds))
    sets = {"scenes": [pair for pair, _ in edits], "photos": list(photo_pairs(chosen.folder, seeds))}
    line: dict[str, object] = {}
    barred: list[BarredPicture] = []
    for name, pairs in sets.items():
        started = time.process_time()
        marks = [barred_picture(result, source) for source, result in pairs]
        mark_ms = (time.process_time() - started) / len(pairs) * 1000
        found = [(mark, pair) for mark, pair in zip(marks, pairs, strict=True) if mark]
        sys.stdout.write(
            f"{name}: {len(found)} of {len(pairs)} are not flat; {mark_ms:.0f} ms for each mark\n"
        )
        line[name] = measured([mark for mark, _ in found], [pair for _, pair in found])
        barred += [mark for mark, _ in found]
    starts = chosen.seeds or [seeds.other]
    line["false_matches_redrawn"], line["redrawn"] = taken_redrawn(edits, chosen.redrawn, starts[0])
    line["others"] = chosen.others
    line["false_matches"] = {start: taken_others(barred, chosen.others, start) for start in starts}
    results = [result for pairs in sets.values() for _, result in pairs]
    line |= looked_up(other_pictures(LISTED, starts[0]), results[-LOOKED_UP:])
    sys.stdout.write(f"\n{json.dumps(line | {'bytes_a_mark': round(bytes_of(barred) / len(barred))})}\n")


def taken_others(barred: Sequence[BarredPicture], wanted: int, start: int) -> int:
    """How many other pictures are taken for a barred one."""
    named, taken = {str(number): mark for number, mark in enumerate(barred)}, 0
    for number, picture in enumerate(other_pictures(wanted, start), 1):
        taken += find_barred(picture, named) is not None
        sys.stderr.write(f"\r{taken} of {number} other pictures are taken for a barred one")
    return taken


def taken_redrawn(edits: Sequence[tuple[Pair, State]], times: int, start: int) -> tuple[int, int]:
    """How many scenes with the backdrop of a barred one and other objects are taken for it, of how many."""
    taken = []
    for place, ((source, result), state) in enumerate(edits):
        mark, first = barred_picture(result, source), start + place * times
        if state.scene and mark and times:
            others = redrawn(state, range(first, first + times))
            taken += [mark.matches(views_of(other)) for other in others]
    return sum(taken), len(taken)


def looked_up(others: Iterable[bytes], looked_for: Sequence[bytes]) -> dict[str, float]:
    """The time of looking pictures up among other ones that are barred."""
    listed = [mark for mark in map(barred_picture, others) if mark]
    mean_ms, longest_ms = look_up_ms(listed, looked_for)
    return {"listed": len(listed), "look_up_ms": mean_ms, "longest_ms": longest_ms}


def measured(barred: Sequence[BarredPicture], pairs: Sequence[Pair]) -> dict[str, object]:
    """The table of one set of pairs, printed and as a value."""
    shares = share_found(barred, pairs)
    for name, share in shares.items():
        sys.stdout.write(f"{name:36} {share:.3f}\n")
    taken = [mark.matches(views_of(source)) for mark, (source, _) in zip(barred, pairs, strict=True)]
    return {
        "pairs": len(pairs),
        "sources_barred": sum(taken),
        "found_least": min(shares.values()),
        "found": shares,
    }


if __name__ == "__main__":
    main()
