"""`AsyncEditor`: the same for asyncio, with the model in a process of its own. Imports no torch."""

import asyncio
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self, Unpack

from mgie_engine.config import BUNDLED_MODEL, ModelConfig, read_config, resolve_model
from mgie_engine.edits import EditRequest, EditResult
from mgie_engine.errors import EngineError
from mgie_engine.python_api.edit_conversation import AsyncEditConversation
from mgie_engine.python_api.edit_requests import EditOptions, OnProgress, build_request, check_language
from mgie_engine.python_api.edited_picture import EditedPicture, edited_picture
from mgie_engine.python_api.editor import choose_model
from mgie_engine.python_api.picture_source import PictureSource, open_mask_source, open_source
from mgie_engine.python_api.version_tree import VersionTree
from mgie_engine.serving.device_plan import plan_devices, visible_gpus
from mgie_engine.serving.pool import engine_pool
from mgie_engine.serving.queue import QueueLimits
from mgie_engine.serving.service import EditHandle, EditService

UNBOUNDED = QueueLimits(waiting=2**31, waiting_per_owner=2**31)  # the caller decides how many may wait


class AsyncEditor:
    """Edits pictures without blocking the event loop: `async with AsyncEditor() as editor:`.

    The model runs in a process of its own for each GPU, so a crash there ends edits and not the program.
    Edits that are awaited together share the devices; cancelling one's task cancels the edit. Takes the
    arguments of Editor, and can be entered once.
    """

    def __init__(
        self,
        model: str | Path = BUNDLED_MODEL,
        *,
        device: str = "auto",
        memory: str = "auto",
        level: str = "auto",
        framing: str = "auto",
        threads: int | None = None,
        home: str | Path | None = None,
    ) -> None:
        """Raises ModelError if there is no such model; it is loaded from `async with` on."""
        self._choice = choose_model(model, device, memory, level, framing, threads, home)
        self._config = read_config(resolve_model(self._choice.model, self._choice.home))
        self._service: EditService | None = None
        self._keys = count()

    async def edit(
        self,
        picture: PictureSource,
        instruction: str,
        *,
        reading: str | None = None,
        mask: PictureSource | None = None,
        progress: OnProgress | None = None,
        **options: Unpack[EditOptions],
    ) -> EditedPicture:
        """Edit a picture; see `Editor.edit`.

        Of `progress` only the newest is passed on, on the event loop. Raises ModelError also if the model
        cannot be loaded, and EngineDied if its process ended twice while the edit ran.
        """
        if reading is None:
            check_language(instruction, self.config)
        opened = await asyncio.to_thread(open_source, picture)
        marked = None if mask is None else await asyncio.to_thread(open_mask_source, mask)
        request = build_request(
            opened.png, instruction, options, self.config.defaults, reading=reading, mask=marked
        )
        return edited_picture(await self.run(request, progress), request.instruction, opened.notes)

    async def run(self, request: EditRequest, progress: OnProgress | None = None) -> EditResult:
        """Run a request as the engine takes it; a declined edit is a result with `is_declined`."""
        if self._service is None:
            raise EngineError("Enter the editor first: async with AsyncEditor() as editor.")
        handle = self._service.submit_nowait(str(next(self._keys)), "python", request)
        try:
            if progress:
                await _follow(handle, progress)
            return await handle.result()
        finally:
            handle.cancel()

    async def conversation(
        self, picture: PictureSource, **options: Unpack[EditOptions]
    ) -> AsyncEditConversation:
        """Begin a conversation about a picture; the options hold for every edit that names no others."""
        opened = await asyncio.to_thread(open_source, picture)
        return AsyncEditConversation(VersionTree(opened, self.config, options), self)

    @property
    def model(self) -> str:
        """The name of the model."""
        return self._config.name

    @property
    def config(self) -> ModelConfig:
        """The model's sizes and own settings; `config.defaults` hold for options that are left out."""
        return self._config

    async def __aenter__(self) -> Self:
        device = self._choice.device
        gpus = [] if device == "cpu" else await visible_gpus()
        pool = engine_pool(self._choice, plan_devices(device, gpus), slots=None)
        self._service = await EditService(pool, UNBOUNDED).__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._service:
            await self._service.__aexit__(kind, error, trace)


async def _follow(handle: EditHandle, progress: OnProgress) -> None:
    async for news in handle.events():
        progress(news)
