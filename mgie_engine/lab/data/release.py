"""The files that the published training reads, in and out: NAME.pkl, NAME.tsv, NAME_expressive.json.

pkl    {"task": [[{"input", "answer", "instruction", "lineidx"}], …]}
tsv    per line the input and the target, JPEG in base64, with a tab between; lineidx is where the line starts
json   input → {"instruction", "expressive"}

The format has neither sessions nor captions.
"""

import base64
import binascii
import io
import json
import pickle
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from mgie_engine.errors import DataError
from mgie_engine.lab.data.examples import EditExample, encoded, opened
from mgie_engine.lab.json_files import read_json


def write_release(folder: Path, name: str, examples: Iterable[EditExample], *, as_is: bool = False) -> int:
    """Write examples as the release's three files; how many there were.

    Pictures become JPEG at Pillow's default quality, 75; with `as_is`, those that are JPEG stay untouched.
    The answer's name is the input's with every "_0" replaced, as in the release, which never reads it.
    """
    tasks, said = list[list[dict[str, Any]]](), dict[str, dict[str, str]]()
    folder.mkdir(parents=True, exist_ok=True)
    pkl, tsv, texts = _files(folder, name)
    with tsv.open("wb") as lines:
        for example in examples:
            answer = example.id.replace("_0", "_1")
            task = {"input": example.id, "answer": answer, "instruction": example.instruction}
            tasks.append([task | {"lineidx": lines.tell()}])
            said[example.id] = {"instruction": example.instruction, "expressive": example.expressive}
            pair = (_as_jpeg(example.before, as_is), _as_jpeg(example.after, as_is))
            lines.write(b"\t".join(map(base64.b64encode, pair)) + b"\n")
    pkl.write_bytes(pickle.dumps({"task": tasks}))
    texts.write_text(json.dumps(said, indent=2), encoding="ascii")
    return len(tasks)


def read_release(folder: Path, name: str) -> Iterator[EditExample]:
    """The examples of the release's three files. DataError where they are damaged or do not fit together.

    Nothing in the pickle is run: it may hold dicts, lists, strings and numbers only.
    """
    pkl, tsv, texts = _files(folder, name)
    tasks, said = safe_pickle(pkl), read_json(texts)
    with tsv.open("rb") as lines:
        for place, task in enumerate(_list(tasks, "task", pkl)):
            try:
                (pair,) = task
                id_, instruction, line = pair["input"], pair["instruction"], pair["lineidx"]
                expressive = said[id_]["expressive"]
                before, after = _line(lines, line)
            except (KeyError, TypeError, ValueError) as error:
                raise DataError(f"Entry {place} of {pkl} does not fit its files: {error!r}.") from error
            yield EditExample(id_, instruction, before, after, expressive)


class _PlainUnpickler(pickle.Unpickler):
    """Builds dicts, lists, strings and numbers, which need no code."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def safe_pickle(file: Path) -> Any:
    """The plain data of a pickle; DataError if it asks for anything that could run."""
    try:
        with file.open("rb") as stream:
            return _PlainUnpickler(stream).load()
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}.") from error
    except Exception as error:  # a damaged pickle may raise anything
        raise DataError(f"{file} is damaged or not safe to read: {error}.") from error


def _line(lines: BinaryIO, offset: int) -> list[bytes]:
    """The two pictures of the line that starts at an offset; ValueError if it holds anything else."""
    lines.seek(offset)
    try:
        before, after = lines.readline().strip().split(b"\t")
        return [base64.b64decode(part, validate=True) for part in (before, after)]
    except binascii.Error as error:
        raise ValueError(f"no base64 at offset {offset}") from error


def _list(data: Any, key: str, file: Path) -> list[Any]:
    found = data.get(key) if isinstance(data, dict) else None
    if not isinstance(found, list):
        raise DataError(f'{file} holds no list called "{key}".')
    return found


def _as_jpeg(picture: bytes | Path, as_is: bool) -> bytes:
    data = encoded(picture)
    if as_is and data.startswith(b"\xff\xd8"):
        return data
    file = io.BytesIO()
    opened(data).save(file, "JPEG")
    return file.getvalue()


def _files(folder: Path, name: str) -> tuple[Path, Path, Path]:
    return folder / f"{name}.pkl", folder / f"{name}.tsv", folder / f"{name}_expressive.json"
