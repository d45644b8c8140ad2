"""Before and after of 16 adjustments, as pictures for docs/photos.md and the table there.

    python -m benchmarks.photo_gallery FOLDER [OUT] [--docs docs/photos.md] [--model mgie-mini]

FOLDER holds china.jpg (of scikit-learn's sample pictures), coffee.png, chelsea.png and rocket.jpg (of
scikit-image's). Every photo is edited at its own size by the model, as the bot would; a pair is shrunk to be
shown and saved as WebP in OUT, 60 KB or so each. With --docs, the table between the page's marks is written
again. Ends in one line of JSON.
"""

import argparse
import io
import json
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.keeping.painting import defaults, load
from mgie_engine.edits import EditRequest
from mgie_engine.lab.docs_inject import write_docs
from mgie_engine.model.mgie import MGIE
from mgie_engine.serving.engine import edit_alone
from mgie_engine.serving.pictures import to_png
from mgie_engine.serving.postprocess import changes_nothing

PAIRS = tuple(
    (photo, said)
    for photo, requests in {
        "china.jpg": (
            "make it brighter", "make it moody", "make it look like winter", "black and white except the red",
            "make it look like golden hour",
        ),
        "coffee.png": (
            "make it cooler", "make the centre brighter", "tone the highlights down",
            "give it a vintage film look",
        ),
        "chelsea.png": ("sharpen it", "more contrast", "black and white"),
        "rocket.jpg": (
            "turn the blues purple", "make the colours pop", "teal and orange look",
            "make the left half black and white",
        ),
    }.items()
    for said in requests
)  # fmt: skip
WIDTH, GAP, QUALITY = 440, 8, 82  # of one of the two pictures, between them; of WebP


def main() -> None:
    """Make the pictures and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="of the photos")
    parser.add_argument("out", type=Path, nargs="?", default=Path("docs/images/photos"))
    parser.add_argument("--docs", type=Path, metavar="PAGE", help="page whose table is replaced")
    parser.add_argument("--model", default="mgie-mini")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    mgie = load(arguments.model, arguments.device)
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows = [_made(mgie, arguments.folder / name, said, arguments.out) for name, said in PAIRS]
    if arguments.docs:
        write_docs(arguments.docs, "gallery", table(rows, arguments.out, arguments.docs), {})
    total = sum(row["bytes"] for row in rows)
    idle = [row["said"] for row in rows if row["idle"]]
    sys.stdout.write(json.dumps({"benchmark": "photo_gallery", "bytes": total, "unchanged": idle}) + "\n")


def table(rows: list[dict[str, Any]], folder: Path, page: Path) -> str:
    """The rows in Markdown, two pairs beside each other."""
    place = folder.resolve().relative_to(page.resolve().parent).as_posix()
    cells = [f"**{row['said']}**<br>{row['read']}<br>![{row['said']}]({place}/{row['file']})" for row in rows]
    pairs = [f"| {one} | {other} |" for one, other in zip(cells[::2], cells[1::2], strict=True)]
    return "\n".join(["| before, after | before, after |", "|---|---|", *pairs])


def _made(mgie: MGIE, file: Path, said: str, out: Path) -> dict[str, Any]:
    photo = Image.open(file).convert("RGB")
    made = edit_alone(mgie, EditRequest(to_png(photo), said, defaults(mgie)), lambda progress: None)
    after = Image.open(io.BytesIO(made.image)).convert("RGB")
    height = round(photo.height * WIDTH / photo.width)
    pair = Image.new("RGB", (2 * WIDTH + GAP, height), "white")
    for number, one in enumerate((photo, after)):
        pair.paste(one.resize((WIDTH, height), Image.Resampling.LANCZOS), (number * (WIDTH + GAP), 0))
    name = f"{said.replace(' ', '-')}.webp"
    pair.save(out / name, quality=QUALITY, method=6)
    row = {"said": said, "read": made.expressive, "file": name, "bytes": (out / name).stat().st_size}
    row["idle"] = changes_nothing(made.expressive, mgie.config.refusal)
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()
    return row


if __name__ == "__main__":
    main()
