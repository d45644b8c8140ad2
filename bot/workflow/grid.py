"""A grid: one edit with several guidance scales or seeds, of which one can be picked. It is read once.

Cells of scales are queued one after the other, so that a grid delays other users little. Those of seeds are
queued together once the instruction is read, so that the engine can paint them in one batch.
"""

import asyncio
import io
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from PIL import Image, ImageDraw, ImageFont

from bot.i18n.catalog import translator
from bot.workflow.erased_pictures import ErasedPictures
from bot.workflow.picture_checks import PictureChecks
from conversations.ai_mark import marked_file
from conversations.images.image_store import ImageStore
from conversations.messages import Message
from conversations.settings import Grid, MadeCell
from conversations.shares import edit_work
from conversations.thread_pools import ThreadPools
from conversations.turn import Turn
from mgie_engine.edits import EditRequest, EditResult, Progress, Stage
from mgie_engine.errors import EditCancelled
from mgie_engine.serving.job import Place
from mgie_engine.serving.service import EditHandle, EditService

CELL_SIDE, SEED_SIDE = 384, 512  # pixels, longer side: of a cell of scales, of seeds
MARGIN, GAP = 40, 6  # pixels: for labels above and to the left of scales, and between cells
TAG = 28  # pixels: the number on a cell
PAPER, INK = "#f6f5f2", "#151513"


class GridHandle:
    """Used like the handle of one edit (see EditHandle). `request` makes the request of a cell.

    The first cell reads the instruction; the others are given that reading. Where every seed gives
    the same picture, there is one cell, see `is_single`.
    """

    def __init__(
        self,
        service: EditService,
        turn: Turn,
        grid: Grid,
        request: Callable[[], Awaitable[EditRequest]],
        threads: ThreadPools,
        checks: PictureChecks,
        images: ImageStore,
        erased: ErasedPictures,
    ) -> None:
        self._service, self._checks, self._turn = service, checks, turn
        self._images, self._erased = images, erased
        self._key, self._owner, self._language = turn.id, turn.user, turn.source.language
        self._grid = grid
        self._cost = edit_work(turn.settings)
        self._request = request
        self._threads = threads
        self._reading: str | None = None
        self._begun: asyncio.Queue[EditHandle | None] = asyncio.Queue()  # None: no more cells
        self._is_cancelled = False
        self.is_single = False  # whether the result is the picture of the only cell, not a sheet
        self.made: list[MadeCell] = []  # the cells so far
        self._open = [self._submit(0)]

    def place(self) -> Place:
        """The place of the current cell."""
        return self._open[0].place()

    def cancel(self) -> None:
        """Cancel the grid."""
        self._is_cancelled = True
        for cell in self._open:
            cell.cancel()

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
            if self._grid.seeds and await self._is_read_as_painted():
                self._submit_rest(1)
            for number in range(len(self._grid.cells)):
                if not self._open:
                    self._open = [self._submit(number)]
                result = await self._open[0].result()
                await self._checks.check_result(self._turn, result)
                self._reading = result.expressive
                if self._grid.seeds and number == 0:
                    if result.is_exact and not result.is_declined:
                        self.is_single = True
                        return replace(result, notes=(*result.notes, Message("seeds_alike")))
                    self._submit_rest(len(self._open))
                cells.append(await self._threads.draw(math.prod(result.size), self._shrunk, result.image))
                key = await self._threads.disk(self._images.put_result, result.image)
                self.made.append(MadeCell(key, result.settings, result.changed))
                done.append(replace(result, image=b""))
                self._open.pop(0)
        except Exception:
            await self._erased.delete(cell.image for cell in self.made)
            raise
        finally:
            self.cancel()
            self._begun.put_nowait(None)
        grid_image = await self._threads.draw(0, draw_grid, cells, self._grid, self._language)
        stages = {stage for result in done for stage in result.seconds}
        seconds = {stage: sum(result.seconds.get(stage, 0.0) for result in done) for stage in stages}
        return replace(done[0], image=grid_image.png, size=grid_image.size, seconds=seconds, changed=None)

    async def _is_read_as_painted(self) -> bool:
        """Whether the reading of the first cell, once it is known, leaves something to the seed."""
        async for progress in self._open[0].events():
            if progress.expressive is not None and progress.stage is not Stage.READING:
                self._reading = progress.expressive
                return not progress.is_exact
        return False

    def _submit_rest(self, begun: int) -> None:
        self._open += [self._submit(number) for number in range(begun, len(self._grid.cells))]

    def _shrunk(self, data: bytes) -> Image.Image:
        return grid_cell(data, cell_side(self._grid))

    def _submit(self, number: int) -> EditHandle:
        if self._is_cancelled:
            raise EditCancelled("The edit was cancelled.")
        cell = self._grid.cells[number]

        async def request() -> EditRequest:
            whole = await self._request()
            settings = cell.applied(whole.settings)
            return replace(whole, settings=settings, reading=whole.reading or self._reading)

        handle = self._service.submit_nowait(
            f"{self._key}.{number}", self._owner, request, again=True, cost=self._cost
        )
        self._begun.put_nowait(handle)
        return handle


def grid_progress(progress: Progress, number: int, cells: int) -> Progress:
    """The progress of a grid of `cells` cells while its cell `number` (from 0) is this far."""
    if progress.stage is Stage.READING or not progress.steps:
        return progress
    steps = progress.steps
    done = steps if progress.stage is Stage.FINISHING else progress.step
    return replace(progress, stage=Stage.PAINTING, step=number * steps + done, steps=cells * steps)


@dataclass(frozen=True, slots=True)
class GridImage:
    """A drawn grid: a PNG, and its width and height in pixels."""

    png: bytes
    size: tuple[int, int]


def margin_of(grid: Grid) -> int:
    """The pixels above and to the left of the cells."""
    return 0 if grid.seeds else MARGIN


def cell_side(grid: Grid) -> int:
    """The longer side of a cell, pixels."""
    return SEED_SIDE if grid.seeds else CELL_SIDE


def grid_cell(data: bytes, side: int = CELL_SIDE) -> Image.Image:
    """A picture file reduced to a cell, RGBA."""
    with Image.open(io.BytesIO(data)) as picture:
        cell = picture.convert("RGBA")
    cell.thumbnail((side, side), Image.Resampling.LANCZOS)
    return cell


def draw_grid(cells: Sequence[Image.Image], grid: Grid, language: object) -> GridImage:
    """The cells (of one shape, in the order of `grid.cells`) side by side and numbered; scales are labels."""
    width, height = max(cell.width for cell in cells), max(cell.height for cell in cells)
    columns, margin = grid.columns, margin_of(grid)
    rows = math.ceil(len(grid.cells) / columns)
    size = (margin + columns * (width + GAP), margin + rows * (height + GAP))
    grid_image = Image.new("RGB", size, PAPER)
    for number, cell in enumerate(cells):
        at = (margin + number % columns * (width + GAP), margin + number // columns * (height + GAP))
        grid_image.paste(cell, at, cell)
        if min(cell.size) > 2 * TAG:
            _number(grid_image, number + 1, (at[0], at[1] + cell.height - TAG))
    if grid.seeds:
        return GridImage(marked_file(grid_image, "PNG"), size)
    translate = translator(language)
    across = [translate(Message("fact_text", value=value)) for value in grid.text_cfg]
    down = [translate(Message("fact_image", value=value)) for value in grid.image_cfg]
    _label(grid_image, across, width)
    turned = grid_image.transpose(Image.Transpose.ROTATE_270)
    _label(turned, down[::-1], height, start=GAP)
    grid_image = turned.transpose(Image.Transpose.ROTATE_90)
    return GridImage(marked_file(grid_image, "PNG"), size)


def _number(grid_image: Image.Image, number: int, at: tuple[int, int]) -> None:
    """The number by which a cell is picked, in its lower left corner; `at`: where that begins."""
    draw = ImageDraw.Draw(grid_image)
    draw.rectangle((*at, at[0] + TAG, at[1] + TAG), PAPER)
    middle = (at[0] + TAG / 2, at[1] + TAG / 2)
    draw.text(middle, str(number), INK, ImageFont.load_default(TAG * 0.6), "mm")


def _label(grid_image: Image.Image, labels: Sequence[str], pitch: int, start: int = MARGIN) -> None:
    """Words along the upper edge, one per cell."""
    draw = ImageDraw.Draw(grid_image)
    font = ImageFont.load_default(max(10, min(20, pitch // 8)))
    for number, label in enumerate(labels):
        draw.text((start + number * (pitch + GAP) + pitch / 2, MARGIN / 2), label, INK, font, "mm")
