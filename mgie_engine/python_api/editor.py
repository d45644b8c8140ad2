"""`Editor`: edit pictures from Python.

from mgie_engine import Editor

editor = Editor()
editor.edit("garden.jpg", "make it darker").save("darker.jpg")
"""

import os
import threading
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, Unpack

from mgie_engine.config import BUNDLED_MODEL, ModelConfig, models_home
from mgie_engine.edits import EditRequest, EditResult
from mgie_engine.errors import EngineError
from mgie_engine.python_api.edit_conversation import EditConversation
from mgie_engine.python_api.edit_requests import (
    EditOptions,
    OnProgress,
    build_request,
    check_language,
    ignore,
)
from mgie_engine.python_api.edited_picture import EditedPicture, edited_picture
from mgie_engine.python_api.picture_source import PictureSource, open_mask_source, open_source
from mgie_engine.python_api.version_tree import VersionTree
from mgie_engine.serving.loader import ModelChoice

if TYPE_CHECKING:
    from mgie_engine.serving.engine import Engine


def choose_model(
    model: str | Path,
    device: str,
    memory: str,
    level: str,
    framing: str,
    threads: int | None,
    home: str | Path | None,
) -> ModelChoice:
    """A model to load; without `home`, others than the bundled one are looked for in MGIE_HOME."""
    folder = models_home(os.environ) if home is None else Path(home)
    return ModelChoice(str(model), folder, device, threads, memory, level, framing)


class Editor:
    """A loaded model that edits pictures, one at a time; threads that share it wait for one another.

    `with Editor() as editor:` frees the model at the end.
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
        """Load a model, which takes seconds; raises ModelError.

        model    "mgie-mini" (bundled), "mgie-7b" (after `mgie download`), or a folder
        device   "auto", "cpu", "cuda", "cuda:1"
        memory   "auto" or a memory mode: fp32, mixed, fp16, bf16, int8, nf4, swap, offload (docs/models.md)
        level    "auto", "exact", "same" or "fast": how exactly is computed (docs/models.md)
        framing  "auto", "squeeze", "crop" or "aspect": what of a picture is shown (docs/fidelity.md)
        threads  of the CPU; None: one per core
        home     folder of downloaded models; None: MGIE_HOME, or ~/.cache/mgie
        """
        choice = choose_model(model, device, memory, level, framing, threads, home)
        self._engine: Engine | None = choice.build()
        self._lock = threading.Lock()

    def edit(
        self,
        picture: PictureSource,
        instruction: str,
        *,
        reading: str | None = None,
        mask: PictureSource | None = None,
        progress: OnProgress | None = None,
        **options: Unpack[EditOptions],
    ) -> EditedPicture:
        """Edit a picture: a path, the bytes of a file, or a Pillow image of any size.

        instruction  what to change, in words
        reading      an expressive instruction to use in place of the model's own
        mask         a picture of the same size: white or transparent where it may change; the rest stays
        progress     is called with a `Progress` at every stage and denoising step, on this thread
        options      seed, text_cfg, image_cfg, steps, sampler, keep; see `EditOptions`

        The result has the size of the picture. Raises EditDeclined if the model says that it cannot make the
        edit, PictureRefused for what is no picture, SettingsRefused for a setting out of range, and
        RequestRefused for an instruction that is empty, too long, or (without a reading) in a language that
        the model does not read, and for a mask that does not fit.
        """
        if reading is None:
            check_language(instruction, self.config)
        opened = open_source(picture)
        marked = None if mask is None else open_mask_source(mask)
        request = build_request(
            opened.png, instruction, options, self.config.defaults, reading=reading, mask=marked
        )
        return edited_picture(self.run(request, progress), request.instruction, opened.notes)

    def run(self, request: EditRequest, progress: OnProgress | None = None) -> EditResult:
        """Run a request as the engine takes it; a declined edit is a result with `is_declined`."""
        from mgie_engine.serving.engine import edit_with  # imports torch; by now the model has, too

        with self._lock:
            return edit_with(self._loaded, request, progress or ignore)

    def conversation(self, picture: PictureSource, **options: Unpack[EditOptions]) -> EditConversation:
        """Begin a conversation about a picture; the options hold for every edit that names no others."""
        return EditConversation(VersionTree(open_source(picture), self.config, options), self)

    @property
    def model(self) -> str:
        """The name of the model."""
        return self.config.name

    @property
    def device(self) -> str:
        """Where it runs: "cpu", "cuda:0"."""
        return str(self._loaded.model.device)

    @property
    def config(self) -> ModelConfig:
        """The model's sizes and own settings; `config.defaults` hold for options that are left out."""
        return self._loaded.model.config

    def close(self) -> None:
        """Free the model; the editor cannot be used any more."""
        with self._lock:
            engine, self._engine = self._engine, None
        if engine:
            engine.__exit__()

    @property
    def _loaded(self) -> "Engine":
        if self._engine is None:
            raise EngineError("This editor is closed.")
        return self._engine

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._engine is None else f"{self.model} on {self.device}"
        return f"<Editor: {state}>"
