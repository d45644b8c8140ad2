"""Bounds for pickled tensor files, which are read opcode by opcode before torch may unpickle them.

Loading with `weights_only` runs no code, but does as many operations as the file asks for. A pickle of 1200
tensors has 38,000 opcodes in 150 KB.
"""

import contextlib
import pickletools
import zipfile
from pathlib import Path
from typing import IO

from mgie_engine.errors import ModelError

MOST_PICKLE_BYTES = 4 * 2**20
MOST_OPCODES = 500_000
_LEGACY_PICKLES = 5  # magic number, protocol, system, tensors, names of the storages that follow


def require_bounded(file: Path) -> None:
    """ModelError if unpickling the file could take long, or more memory than the file's own size."""
    try:
        if zipfile.is_zipfile(file):
            _check_archive(file)
        else:
            with file.open("rb") as stream:
                for _ in range(_LEGACY_PICKLES):
                    _check_pickle(stream, file)
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ModelError(f"{file} is damaged or no tensor file: {error}") from error


def _check_archive(file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        for entry in archive.infolist():
            if entry.compress_type != zipfile.ZIP_STORED:  # torch never compresses
                raise ModelError(f"{file} holds compressed parts, which are not safe to read.")
            if entry.filename.endswith(".pkl"):
                if entry.file_size > MOST_PICKLE_BYTES:
                    raise ModelError(f"{file} holds a pickle of {entry.file_size} bytes; that is no model.")
                with archive.open(entry) as stream:
                    _check_pickle(stream, file)


def _check_pickle(stream: IO[bytes], file: Path) -> None:
    with contextlib.suppress(ValueError):  # what cannot be parsed up to its end ends torch's reading, too
        for number, _ in enumerate(pickletools.genops(stream)):
            if number > MOST_OPCODES:
                raise ModelError(f"{file} holds a pickle of over {MOST_OPCODES} operations; no model has.")
