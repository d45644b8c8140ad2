"""Downloads the published files to a model's folder, or copies them from another folder of this machine.

A file is downloaded as NAME.part, resumed after a lost connection or a killed program, and renamed once its
checksum is right. Imports no torch.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

import huggingface_hub.errors
from huggingface_hub import HfApi, hf_hub_url
from huggingface_hub.file_download import http_get
from huggingface_hub.hf_api import RepoSibling
from huggingface_hub.utils import build_hf_headers, tqdm  # type: ignore[attr-defined]

from mgie_engine.checkpoints.layout import (
    FOLDERS,
    LLAVA_DELTA,
    MGIE,
    OTHERS,
    REVISIONS,
    Part,
    RepoKind,
    is_llava,
)
from mgie_engine.errors import ModelError
from mgie_engine.install.known_files import KNOWN_FILES
from mgie_engine.install.ledger import Checksums, Ledger, checksums_of, require_room

Say = Callable[[str], None]
_BROKEN = (OSError, huggingface_hub.errors.HTTPError)  # type: ignore[attr-defined]
_CHUNK = 16 * 2**20


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of the hub, and its place in the model's folder."""

    hub: str
    kind: RepoKind
    revision: str
    path: str
    target: str
    sums: Checksums  # from the hub


def fetch_all(folder: Path, api: HfApi, say: Say, known: Mapping[str, Checksums] = KNOWN_FILES) -> None:
    """Download everything that is missing. ModelError says what went wrong and what to do.

    known: sums that count instead of the hub's, by place in the folder.
    """
    ledger = Ledger.read(folder)
    lacking = [wanted for wanted in list_files(api, known) if not ledger.has(wanted.target, wanted.sums.size)]
    arrived = sum(_part(folder, wanted.target)[1] for wanted in lacking)
    folder.mkdir(parents=True, exist_ok=True)
    require_room(folder, sum(wanted.sums.size for wanted in lacking) - arrived)
    for number, wanted in enumerate(lacking, 1):
        say(f"{number} of {len(lacking)}: {wanted.target} from {wanted.hub}")
        ledger = ledger.with_file(wanted.target, fetch(folder, wanted, api))
    if trusted := sorted({wanted.hub for wanted in lacking if wanted.target not in known}):
        say(f"The checksums of {', '.join(trusted)} are from the hub itself.")
    say(f"All files are in {folder}, checked.")


def list_files(api: HfApi, known: Mapping[str, Checksums] = KNOWN_FILES) -> list[HubFile]:
    """All files of the release on the hub.

    ModelError if a repository cannot be listed, lacks its files, or has other files than those known.
    """
    files = _all_files(api)
    for wanted in files:
        if not wanted.target.isprintable():
            raise ModelError(f"{wanted.hub} lists a file with control characters in its name.")
        if wanted.sums.size <= 0:
            raise ModelError(f"{wanted.hub} lists {wanted.target} without a size.")
        if (expected := known.get(wanted.target)) and not wanted.sums.agrees_with(expected):
            raise ModelError(f"{wanted.hub} has another {wanted.target} than the published one.")
    return [replace(wanted, sums=known.get(wanted.target, wanted.sums)) for wanted in files]


def _all_files(api: HfApi) -> list[HubFile]:
    differentials = _listed(MGIE, api)
    whole = any(is_llava(wanted.target) for wanted in differentials)
    parts = OTHERS if whole else (LLAVA_DELTA, *OTHERS)
    return [*differentials, *(wanted for part in parts for wanted in _listed(part, api))]


def fetch(folder: Path, wanted: HubFile, api: HfApi) -> Checksums:
    """Download one file, resuming an earlier try; returns its checksums. ModelError if it fails."""
    part, there = _part(folder, wanted.target)
    if there > wanted.sums.size:  # left by another version of the file
        part.unlink()
        there = 0
    part.parent.mkdir(parents=True, exist_ok=True)
    url = hf_hub_url(
        wanted.hub, wanted.path, repo_type=wanted.kind, revision=wanted.revision, endpoint=api.endpoint
    )
    try:
        with part.open("ab") as file:
            http_get(
                url,
                cast(BinaryIO, _Bounded(file, wanted.sums.size)),
                resume_size=there,
                headers=build_hf_headers(token=api.token),
                expected_size=wanted.sums.size,
                displayed_filename=wanted.target,
            )
    except _TooLong:
        part.unlink()
        raise ModelError(
            f"{wanted.target} is longer than the {wanted.sums.size} bytes it should have and was thrown away."
        ) from None
    except _BROKEN as error:
        raise ModelError(
            f"{wanted.target} stopped coming ({error}); the same command goes on where it stopped."
        ) from error
    found = checksums_of(part)
    if not found.agrees_with(wanted.sums):
        part.unlink()
        raise ModelError(f"{wanted.target} came with a wrong checksum and was thrown away; try again.")
    part.replace(folder / wanted.target)
    return found


class _TooLong(Exception):
    """More bytes came than were declared."""


class _Bounded:
    """A file being written, of at most so many bytes: what is declared holds while it comes, not after."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self._file, self._most = file, most

    def write(self, data: bytes) -> int:
        if self._file.tell() + len(data) > self._most:
            raise _TooLong
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def copy_all(source: Path, folder: Path, say: Say) -> None:
    """Copy the release's files from a folder that holds some of its parts, directly or below _ckpt.

    Copies are verified against the files.json there, if any. ModelError if the folder holds none of the parts
    or a copy is damaged.
    """
    files = list(_files_in(source))
    if not files:
        raise ModelError(f"{source} holds none of the folders {', '.join(FOLDERS)}.")
    ledger, known = Ledger.read(folder), Ledger.read(source)
    lacking = [(f, target) for f, target in files if not ledger.has(target, f.stat().st_size)]
    folder.mkdir(parents=True, exist_ok=True)
    require_room(folder, sum(file.stat().st_size for file, _ in lacking))
    for file, target in lacking:
        found = _copy(file, folder / target)
        if (expected := known.files.get(target)) and not found.agrees_with(expected):
            (folder / target).unlink()
            raise ModelError(f"{file} does not have the checksum that files.json beside it gives.")
        ledger = ledger.with_file(target, found)
    say(f"{len(lacking)} files were copied to {folder}, {len(files) - len(lacking)} were there.")


def _listed(part: Part, api: HfApi) -> list[HubFile]:
    for kind in part.kinds:
        try:
            info = api.repo_info(
                part.hub, repo_type=kind, revision=REVISIONS.get(part.hub), files_metadata=True
            )
        except huggingface_hub.errors.RepositoryNotFoundError:
            continue
        except _BROKEN as error:
            raise ModelError(f"{part.hub} could not be listed: {error}") from error
        found = [
            HubFile(part.hub, kind, str(info.sha), sibling.rfilename, target, _checksums(sibling))
            for sibling in getattr(info, "siblings", None) or ()
            if (target := part.place(sibling.rfilename))
        ]
        if found:
            return found
    raise ModelError(
        f"{part.hub} is not on the hub, or no longer holds what MGIE needs; "
        "`mgie download --from FOLDER` takes the files from this machine."
    )


def _checksums(sibling: RepoSibling) -> Checksums:
    lfs = sibling.lfs
    # The blob of a file in LFS is only a pointer, so its hash says nothing about the file.
    return Checksums(sibling.size or 0, lfs.sha256 if lfs else None, None if lfs else sibling.blob_id)


def _part(folder: Path, target: str) -> tuple[Path, int]:
    """The partial file of a download, and its size in bytes."""
    part = folder / f"{target}.part"
    return part, part.stat().st_size if part.is_file() else 0


def _files_in(source: Path) -> Iterator[tuple[Path, str]]:
    for root in (source, source / "_ckpt"):
        for name in FOLDERS:
            for file in sorted((root / name).rglob("*")):
                if file.is_file() and file.suffix != ".part":
                    yield file, file.relative_to(root).as_posix()


def _copy(file: Path, target: Path) -> Checksums:
    part = target.with_name(f"{target.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    size = file.stat().st_size
    with file.open("rb") as source, part.open("wb") as copy, _bar(file.name, size) as bar:
        while chunk := source.read(_CHUNK):
            copy.write(chunk)
            bar.update(len(chunk))
    found = checksums_of(part)
    part.replace(target)
    return found


def _bar(name: str, size: int) -> tqdm:
    return tqdm(desc=name, total=size, unit="B", unit_scale=True, disable=None)  # type: ignore[no-untyped-call]
