"""Copies published files from this machine: Apple's archive, or a folder with some. Imports no torch."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from mgie_engine.checkpoints.layout import BASE, DIFFERENTIALS, FOLDERS, is_needed
from mgie_engine.errors import ModelError
from mgie_engine.install.archive import unpack
from mgie_engine.install.ledger import Check, Ledger, Say, copy_bytes, part_of, require_room
from mgie_engine.model_files import META_WEIGHTS, require_regular, shard_files


def copy_all(source: Path, folder: Path, say: Say, check: Check, most: Mapping[str, int]) -> None:
    """Copy what `source` holds of the release to a model's folder.

    source: an archive with Apple's differentials, the folder that they are in, a folder with some of the
    release's folders, directly or below _ckpt, or Meta's folder of LLaMA, or its 7B. most: as for `unpack`.
    Copies are verified by `check`, and against a files.json there. ModelError if nothing of the release is
    there, or a file is at fault.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if source.is_file():
        unpack_differentials(source, folder, str(source), check, most)
        return say(f"{' and '.join(most)} were unpacked to {folder / DIFFERENTIALS}.")
    files = dict(_files_in(source))
    if not files:
        raise ModelError(
            f"{source} is no archive of Apple's and holds none of the folders {', '.join(FOLDERS)}."
        )
    ledger, known = Ledger.read(folder), Ledger.read(source)
    lacking = [(to, file) for to, file in files.items() if not ledger.has(to, file.stat().st_size)]
    require_room(folder, sum(file.stat().st_size for _, file in lacking))
    for target, file in lacking:
        require_regular(file)
        part = part_of(folder, target)
        with file.open("rb") as original, part.open("wb") as copy:
            copy_bytes(original, copy, file.stat().st_size, file.name)
        ledger = ledger.accept(part, target, str(file), check, known.files.get(target))
    say(f"{len(lacking)} files were copied to {folder}, {len(files) - len(lacking)} were there.")


def unpack_differentials(
    archive: Path, folder: Path, source: str, check: Check, most: Mapping[str, int]
) -> None:
    """Unpack Apple's archive to a model's folder. source: for the ledger. ModelError if it is at fault."""
    require_room(folder, sum(most.values()))
    parts = unpack(archive, lambda name: part_of(folder, f"{DIFFERENTIALS}/{name}"), most)
    ledger = Ledger.read(folder)
    for name, part in parts.items():
        ledger = ledger.accept(part, f"{DIFFERENTIALS}/{name}", source, check)


def _files_in(source: Path) -> Iterator[tuple[str, Path]]:
    """Place in the model's folder, and file, of everything of the release in a folder."""
    for root in (source, source / "_ckpt"):
        for name in FOLDERS:
            yield from _needed_of(root / name, name)
    if (source / "mllm.pt").is_file():
        yield from _needed_of(source, DIFFERENTIALS)
    for root in (source, source / "7B"):
        if root.is_dir() and any(META_WEIGHTS.fullmatch(file.name) for file in root.iterdir()):
            yield from _needed_of(root, BASE)


def _needed_of(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    """The files that loading reads; of weights in two formats, those that it prefers."""
    preferred = {file.name for file in shard_files(folder)} if folder.is_dir() else set()
    for file in sorted(folder.rglob("*")):
        target = f"{name}/{file.relative_to(folder).as_posix()}"
        is_second = file.parent == folder and preferred and file.suffix in (".bin", ".safetensors")
        if file.is_file() and is_needed(target) and not (is_second and file.name not in preferred):
            yield target, file
