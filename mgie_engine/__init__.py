"""MGIE: edit pictures by saying what to change. Has never heard of Discord.

    from mgie_engine import Editor

    editor = Editor()
    editor.edit("garden.jpg", "make it darker").save("darker.jpg")

The names below are loaded when they are first used, so that importing the package is cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mgie_engine.edits import Progress as Progress
    from mgie_engine.python_api.async_editor import AsyncEditor as AsyncEditor
    from mgie_engine.python_api.edited_picture import EditedPicture as EditedPicture
    from mgie_engine.python_api.editor import Editor as Editor
    from mgie_engine.python_api.mgie_pipeline import MGIEPipeline as MGIEPipeline

_MODULES = {
    "AsyncEditor": "python_api.async_editor",
    "EditedPicture": "python_api.edited_picture",
    "Editor": "python_api.editor",
    "MGIEPipeline": "python_api.mgie_pipeline",
    "Progress": "edits",
}
__all__ = ["AsyncEditor", "EditedPicture", "Editor", "MGIEPipeline", "Progress"]


if not TYPE_CHECKING:  # else type checkers believe that every name exists

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
