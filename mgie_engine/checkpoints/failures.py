"""Whatever a library raises at what a model's files say, as one ModelError."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from mgie_engine.errors import EngineError, ModelError

_LONGEST = 300  # characters of a library's complaint


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on a device or in main memory."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "allocate memory" in str(error)


@contextmanager
def model_errors(what: str) -> Iterator[None]:
    """Around what depends on the files alone: trying again cannot help, except where memory ran out."""
    try:
        yield
    except EngineError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        said = " ".join(str(error).split())[:_LONGEST]
        raise ModelError(f"{what}: {type(error).__name__}: {said}") from error
