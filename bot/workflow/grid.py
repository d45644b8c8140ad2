"""A grid: one edit with several guidance scales. It is read once, and queued cell by cell."""

import asyncio
import io
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from PIL import Image, ImageDraw, ImageFont

from bot.i18n.catalog import translator
from bot.workflow.picture_checks import PictureChecks
from conversations.ai_mark import marked_file
from conversations.messages import Message
from conversations.session import Turn
from conversations.settings import Grid, with_derived_degree
from conversations.shares import edit_work
from conversations.thread_pools import ThreadPools
from mgie_engine.edits import EditRequest, EditResult, Progress, Stage
from mgie_engine.errors import EditCancelled
from mgie_engine.serving.job import Place
from mgie_engine.serving.service import EditHandle, EditService

CELL_SIDE = 384  # pixels, longer side
MARGIN, GAP = 40, 6  # pixels: for labels above and to the left, and between cells
PAPER, INK = "#f6f5f2", "#151513"


class GridHandle:
    """Used like the handle of one edit (see EditHandle). `request` makes the request of a cell.

    A cell is queued when the one before it is done, so that a grid delays other users little. The first cell
    reads the instruction; the others are given that reading.
    """

    def __init__(
        self,
        service: EditService,
        turn: Turn,
        grid: Grid,
        request: Callable[[], Awaitable[EditRequest]],
        threads: ThreadPools,
        checks: PictureChecks,
    ) -> None:
        self._service, self._checks, self._turn = service, checks, turn
        self._key, self._owner, self._language = turn.id, turn.user, turn.source.language
        self._grid = grid
        self._cost = edit_work(turn.settings)
        self._request = request
        self._threads = threads
        self._reading: str | None = None
        self._begun: asyncio.Queue[EditHandle | None] = asyncio.Queue()  # None: no more cells
        self._is_cancelled = False
        self.is_hidden = False  # whether a cell goes behind a spoiler
        self._cell = self._submit(0)

    def place(self) -> Place:
        """The place of the current cell."""
        return self._cell.place()

    def cancel(self) -> None:
        """Cancel the grid."""
        self._is_cancelled = True
        self._cell.cancel()

    async def events(self) -> AsyncIterator[Progress]:
        """Progress of the whole grid; for one reader."""
        cells = len(self._grid.cells)
        number = 0
        while (cell := await self._begun.get()) is not None:
            async for progress in cell.events():
                if number == 0 or progress.stage is not Stage.READING:  # that was given, and is over at once
                    yield grid_progress(progress, number, cells)
            number += 1

    async def result(self) -> EditResult:
        """The image of the grid; raises as EditHandle does, for the first cell that fails."""
        done: list[EditResult] = []  # without their images, which may be large
        cells: list[Image.Image] = []
        try:
            for number in range(len(self._grid.cells)):
                if number:
                    self._cell = self._submit(number)
                result = await self._cell.result()
                self.is_hidden |= await self._checks.check_result(self._turn, result)
                cells.append(await self._threads.draw(math.prod(result.size), grid_cell, result.image))
                done.append(replace(result, image=b""))
                self._reading = done[0].expressive
        finally:
            self._begun.put_nowait(None)
        grid_image = await self._threads.draw(0, draw_grid, cells, self._grid, self._language)
        stages = {stage for result in done for stage in result.seconds}
        seconds = {stage: sum(result.seconds.get(stage, 0.0) for result in done) for stage in stages}
        return replace(done[0], image=grid_image.png, size=grid_image.size, seconds=seconds, changed=None)

    def _submit(self, number: int) -> EditHandle:
        if self._is_cancelled:
            raise EditCancelled("The edit was cancelled.")
        text_cfg, image_cfg = self._grid.cells[number]

        async def request() -> EditRequest:
            whole = await self._request()
            settings = replace(whole.settings, text_cfg=text_cfg, image_cfg=image_cfg)
            settings = with_derived_degree(settings, whole.settings)
            return replace(whole, settings=settings, reading=whole.reading or self._reading)

        handle = self._service.submit_nowait(
            f"{self._key}.{number}", self._owner, request, again=True, cost=self._cost
        )
        self._begun.put_nowait(handle)
        return handle


def grid_progress(progress: Progress, number: int, cells: int) -> Progress:
    """The progress of a grid of `cells` cells while its cell `number` (from 0) is this far."""
    if progress.stage is Stage.READING:
        return progress
    steps = progress.steps
    done = steps if progress.stage is Stage.FINISHING else progress.step
    return replace(progress, stage=Stage.PAINTING, step=number * steps + done, steps=cells * steps)


@dataclass(frozen=True, slots=True)
class GridImage:
    """A drawn grid: a PNG, and its width and height in pixels."""

    png: bytes
    size: tuple[int, int]


def grid_cell(data: bytes) -> Image.Image:
    """A picture file reduced to a cell, RGBA."""
    with Image.open(io.BytesIO(data)) as picture:
        cell = picture.convert("RGBA")
    cell.thumbnail((CELL_SIDE, CELL_SIDE), Image.Resampling.LANCZOS)
    return cell


def draw_grid(cells: Sequence[Image.Image], grid: Grid, language: object) -> GridImage:
    """The cells (of one shape, in the order of `grid.cells`) side by side, with their scales as labels."""
    width, height = max(cell.width for cell in cells), max(cell.height for cell in cells)
    columns, rows = len(grid.text_cfg), len(grid.image_cfg)
    size = (MARGIN + columns * (width + GAP), MARGIN + rows * (height + GAP))
    grid_image = Image.new("RGB", size, PAPER)
    for number, cell in enumerate(cells):
        at = (MARGIN + number % columns * (width + GAP), MARGIN + number // columns * (height + GAP))
        grid_image.paste(cell, at, cell)
    translate = translator(language)
    across = [translate(Message("fact_text", value=value)) for value in grid.text_cfg]
    down = [translate(Message("fact_image", value=value)) for value in grid.image_cfg]
    _label(grid_image, across, width)
    turned = grid_image.transpose(Image.Transpose.ROTATE_270)
    _label(turned, down[::-1], height, start=GAP)
    grid_image = turned.transpose(Image.Transpose.ROTATE_90)
    return GridImage(marked_file(grid_image, "PNG"), size)


def _label(grid_image: Image.Image, labels: Sequence[str], pitch: int, start: int = MARGIN) -> None:
    """Words along the upper edge, one per cell."""
    draw = ImageDraw.Draw(grid_image)
    font = ImageFont.load_default(max(10, min(20, pitch // 8)))
    for number, label in enumerate(labels):
        draw.text((start + number * (pitch + GAP) + pitch / 2, MARGIN / 2), label, INK, font, "mm")
