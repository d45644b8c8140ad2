"""Does a byte change outside of a mask, at 12 megapixels, by any way in?

    python benchmarks/masked_doors.py [--photo FILE] [--models mgie-mini random-7b]

Edits one photo of 4000 × 3000 pixels through every door, as its users do: the page over HTTP (a box, then a
brush), the API (a mask file, transparent where it may change), Discord (the picture sent back, drawn upon,
then `/edit` with a mask file), `mgie edit --mask` and Python. Each with mgie-mini, and with a random model
that has the architecture and the files of MGIE-7B. Files are fetched as users get them and compared with the
decoded photo; `outside` counts the bytes that differ where nothing is marked, `inside` is the share of marked
pixels that do. Where Discord allows 10 MiB a file, the result is posted as a lossy WebP, so there the stored
picture is compared; where it allows 100 MiB, the posted PNG is. Ends in one line of JSON.
"""

import argparse
import asyncio
import base64
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from conversations.images.marks import Marks
from mgie_engine import Editor
from mgie_engine.edits import EditRequest, EditResult, Report
from mgie_engine.serving.loader import ModelChoice
from mgie_engine.serving.masks import open_mask
from mgie_engine.serving.process import EngineProcess
from tests.support import tiny_model
from tests.support.api_server import api_server
from tests.support.discord_room import Room, loopback, results_in, room
from tests.support.discord_server.world import Upload
from tests.support.masked_photo import BOX, HEIGHT, SIZE, WIDTH, as_jpeg, drawn_upon, transparent_box
from tests.support.page_server import page_server
from tests.support.page_visitors import ANN, visitor
from tests.support.published import write_release

ROOT = Path(__file__).parents[1]
MARKS = {"a box": "box 2250 2333 6499 6999", "a brush": "line 300 3000 5000 6000 5500 6500 3000"}
WORDS, READING = "make it darker", "The picture is darker."
TIMEOUT_S = 300.0
MODELS = ("mgie-mini", "random-7b")
SETTINGS = {"steps": 2, "seed": 3}
Row = dict[str, Any]
Result = tuple[str, bytes, np.ndarray]  # door, file, where the picture may differ (height, width) bool


class Insistent(EngineProcess):
    """Paints whatever was read and restores nothing but what is outside of the mask: for random weights."""

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        """The edit, with a reading given."""
        settings = replace(request.settings, keep="off", steps=SETTINGS["steps"])
        return await super().run(replace(request, settings=settings, reading=READING), report)


class Doors:
    """One model, asked by every door about one photo (the bytes of a JPEG)."""

    def __init__(self, model: str, photo: bytes, *, is_random: bool) -> None:
        self._model, self._photo, self._is_random = model, photo, is_random
        self._before = pixels(photo)
        self._region = np.zeros((HEIGHT, WIDTH), bool)
        self._region[BOX[1] : BOX[3], BOX[0] : BOX[2]] = True

    async def rows(self, folder: Path) -> AsyncIterator[Row]:
        """What each door gave, one after the other; each works in a folder of its own."""
        for door in (self._page, self._api, self._discord, self._command, self._python):
            place, began = folder / door.__name__, time.monotonic()
            place.mkdir(parents=True)
            async for name, after, region in door(place):
                seconds = round(time.monotonic() - began, 1)
                yield {"door": name, **self._compared(after, region), "seconds": seconds}
                began = time.monotonic()

    def _compared(self, after: bytes, region: np.ndarray) -> Row:
        differs = self._before != pixels(after)
        inside = float(differs.any(2)[region].mean())
        return {"outside": int(differs[~region].sum()), "inside": round(inside, 3), "file": kind_of(after)}

    def _engine(self) -> EngineProcess:
        made = Insistent if self._is_random else EngineProcess
        return made(ModelChoice(self._model, device="cpu"))

    async def _page(self, folder: Path) -> AsyncIterator[Result]:
        async with page_server(folder, self._engine()) as page, visitor(page) as client:
            client.timeout, client.headers["Accept"] = httpx.Timeout(TIMEOUT_S), "application/json"
            (await client.post("/pictures", files={"picture": ("photo.jpg", self._photo)})).raise_for_status()
            session = await page.store.session_for_channel(f"web:{ANN}", f"web:{ANN}")
            assert session is not None
            for name, marks in MARKS.items():
                await client.post("/act", data={"go_to": session.root.id})
                form = {"instruction": WORDS, "region": marks} | {n: str(v) for n, v in SETTINGS.items()}
                (await client.post("/message", data=form)).raise_for_status()
                turn = (await page.store.turns_by(f"web:{ANN}", 1))[0]
                got = await once_done(client, f"/downloads/{turn.id}.png")
                yield f"page, {name}", got, np.asarray(Marks.parse(marks).mask(SIZE)) > 0

    async def _api(self, folder: Path) -> AsyncIterator[Result]:
        async with api_server(folder, self._engine()) as api:
            answer = await api.client.with_options(timeout=TIMEOUT_S).images.edit(
                image=("photo.jpg", self._photo),
                mask=("mask.png", transparent_box()),
                prompt=WORDS,
                extra_body=SETTINGS,
            )
            [picture] = answer.data or []
            yield "API, mask", base64.b64decode(picture.b64_json or ""), self._region

    async def _discord(self, folder: Path) -> AsyncIterator[Result]:
        for tier, kind in {3: "posted", 0: "stored"}.items():
            async with loopback() as server:
                server.world.premium_tier = tier
                async with room(folder / kind, self._engine(), server) as r:
                    for name in ("drawn upon", "/edit mask"):
                        uploads = await self._asked(r, name)
                        yield f"Discord, {name}, {kind}", *(await self._result(r, uploads, kind))

    async def _asked(self, r: Room, name: str) -> list[Upload]:
        """Ask for an edit in that way, and wait for the files of its result."""
        if name == "drawn upon":
            photo = r.discord.say(r.channel, r.anna, files={"photo.jpg": self._photo})
            drawn = {"drawn.jpg": drawn_upon(Image.open(io.BytesIO(self._photo)))}
            r.discord.say(r.channel, r.anna, WORDS, files=drawn, reply_to=photo, mention=True)
        else:
            files = {"image": self._photo, "mask": transparent_box()}
            r.discord.slash(r.channel, r.anna, "edit", instruction=WORDS, **files)
        count = len(results_in(r.discord, r.channel)) + 1
        found = await r.discord.wait_for(
            lambda: made if len(made := results_in(r.discord, r.channel)) >= count else None, TIMEOUT_S
        )
        return found[-1].uploads

    async def _result(self, r: Room, uploads: list[Upload], kind: str) -> tuple[bytes, np.ndarray]:
        """The result as it was posted, or as it is stored; and its mask."""
        turn = (await r.turns())[-1]
        assert turn.image
        assert turn.mask
        region = open_mask(r.images.get(turn.mask), SIZE)
        assert not region[wider(self._region)].any(), "what was drawn is not where it was drawn"
        largest = max((upload.data for upload in uploads), key=len)
        return (r.images.get(turn.image) if kind == "stored" else largest), region

    async def _command(self, folder: Path) -> AsyncIterator[Result]:
        photo, mask, out = (folder / name for name in ("photo.jpg", "mask.png", "out.png"))
        await asyncio.to_thread(photo.write_bytes, self._photo)
        await asyncio.to_thread(mask.write_bytes, transparent_box())
        command = [sys.executable, "-m", "mgie_engine.cli", "edit", str(photo), WORDS, "--mask", str(mask)]
        command += ["-o", str(out), "--model", self._model, "--device", "cpu", "--steps", "2", "--seed", "3"]
        command += ["--keep", "off", "--reading", READING] if self._is_random else []
        await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, cwd=ROOT)
        yield "mgie edit --mask", await asyncio.to_thread(out.read_bytes), self._region

    async def _python(self, folder: Path) -> AsyncIterator[Result]:
        options: dict[str, Any] = {"keep": "off", "reading": READING} if self._is_random else {}
        mask = Image.fromarray(self._region)
        options |= SETTINGS
        with Editor(self._model, device="cpu") as editor:
            made = await asyncio.to_thread(editor.edit, self._photo, WORDS, mask=mask, **options)
        yield "Python, mask=", made.png, self._region


def pixels(file: bytes) -> np.ndarray:
    """(height, width, 3) uint8."""
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))


def kind_of(file: bytes) -> str | None:
    """Its format."""
    return Image.open(io.BytesIO(file)).format


def wider(region: np.ndarray) -> np.ndarray:
    """Everything that is more than 60 pixels from the box."""
    left, top, right, bottom = BOX
    far = np.ones_like(region)
    far[top - 60 : bottom + 60, left - 60 : right + 60] = False
    return far


async def once_done(client: httpx.AsyncClient, path: str) -> bytes:
    """A file that is there when its edit is done."""
    async with asyncio.timeout(TIMEOUT_S):
        while (answer := await client.get(path)).status_code == 404:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    return answer.raise_for_status().content


def a_photo() -> Image.Image:
    """Soft colours with grain: each pixel another, so that a changed byte shows."""
    chance = np.random.default_rng(0)
    colours = Image.fromarray(chance.integers(40, 216, (75, 100, 3), np.uint8))
    soft = np.asarray(colours.resize(SIZE, Image.Resampling.BICUBIC)).astype(np.int16)
    return Image.fromarray(np.clip(soft + chance.integers(-3, 4, soft.shape), 0, 255).astype(np.uint8))


async def measure(photo: bytes, models: Sequence[str]) -> dict[str, list[Row]]:
    """The rows of each model."""
    found: dict[str, list[Row]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "weights").mkdir()
        write_release(folder / "weights", tiny_model.model())  # type: ignore[no-untyped-call]
        for label in models:
            found[label], model = [], str(folder / "weights") if label == "random-7b" else label
            async for row in Doors(model, photo, is_random=label == "random-7b").rows(folder / label):
                print(f"{label:10} {row['door']:30} {row}", file=sys.stderr, flush=True)  # noqa: T201
                found[label].append(row)
    return found


def main() -> None:
    """Read which photo, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photo", type=Path, help="another photo, scaled to 4000 × 3000")
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS, help="both if left out")
    given = parser.parse_args()
    picture = (
        Image.open(given.photo).convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)
        if given.photo
        else a_photo()
    )
    photo = as_jpeg(picture)
    rows = asyncio.run(measure(photo, given.models))
    changed = sum(row["outside"] for found in rows.values() for row in found)
    print(json.dumps({"photo_mb": round(len(photo) / 1e6, 1), "changed_outside": changed, **rows}))  # noqa: T201


if __name__ == "__main__":
    main()
