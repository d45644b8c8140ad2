"""Small folders in the public layouts, drawn here."""

import json
from pathlib import Path

from PIL import Image

COLOURS = ("red", "green", "blue", "teal", "gold", "pink")


def draw(file: Path, colour: str, size: tuple[int, int] = (40, 32)) -> Path:
    """A picture of one colour, with a stripe so that encoders have something to do."""
    picture = Image.new("RGB", size, colour)
    picture.paste("white", (5, 0, 9, size[1]))
    picture.save(file)
    return file


def pix2pix_folder(folder: Path, prompts: int = 2, pairs: int = 2) -> Path:
    """Folders 0000100, 0000101, … with `pairs` pairs each."""
    for number in range(prompts):
        place = folder / f"{100 + number:07d}"
        place.mkdir(parents=True)
        said = {"edit": f"make it {COLOURS[number]}", "output": f"a {COLOURS[number]} thing"}
        (place / "prompt.json").write_text(json.dumps(said))
        for pair in range(pairs):
            draw(place / f"{700 + pair}_0.jpg", COLOURS[pair])
            draw(place / f"{700 + pair}_1.jpg", COLOURS[number])
    return folder


def magicbrush_folder(folder: Path, turns: int = 3) -> Path:
    """Session 77 with so many turns, session 5 with one; captions of every picture."""
    sessions = {}
    captions = {}
    for image, count in (("77", turns), ("5", 1)):
        place = folder / "images" / image
        place.mkdir(parents=True)
        names = [f"{image}-input.png", *(f"{image}-output{n + 1}.png" for n in range(count))]
        for name, colour in zip(names, COLOURS, strict=False):
            draw(place / name, colour)
        (place / f"{image}-mask1.png").write_bytes(b"masks are not read")
        sessions[image] = [
            {
                "input": names[n],
                "mask": f"{image}-mask{n + 1}.png",
                "output": names[n + 1],
                "instruction": f"turn {n + 1}",
            }
            for n in range(count)
        ]
        captions[image] = {name: f"a picture called {name}" for name in names}
    (folder / "edit_sessions.json").write_text(json.dumps(sessions))
    (folder / "global_descriptions.json").write_text(json.dumps(captions))
    return folder
