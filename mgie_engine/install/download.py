"""Downloads the published files from the hub to a model's folder.

A file is downloaded as NAME.part, resumed after a lost connection or a killed program, and gets its place
once its checksum is right. Imports no torch.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

import huggingface_hub.errors
from huggingface_hub import HfApi, hf_hub_url
from huggingface_hub.file_download import http_get
from huggingface_hub.hf_api import RepoSibling
from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

from mgie_engine.checkpoints.layout import LLAVA_DELTA, MGIE, OTHERS, REVISIONS, Part, RepoKind, is_llava
from mgie_engine.errors import ModelError
from mgie_engine.install.known_files import KNOWN_FILES
from mgie_engine.install.ledger import Check, Checksums, Ledger, Say, part_of, require_room

_BROKEN = (OSError, huggingface_hub.errors.HTTPError)  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of the hub, and its place in the model's folder."""

    hub: str
    kind: RepoKind
    revision: str
    path: str
    target: str
    sums: Checksums  # from the hub


def fetch_files(
    files: Iterable[HubFile],
    folder: Path,
    api: HfApi,
    say: Say,
    check: Check,
    known: Mapping[str, Checksums] = KNOWN_FILES,
) -> None:
    """Download the files that are missing. ModelError says what went wrong and what to do.

    check: is asked about every file before it gets its place. known: sums that are not from the hub.
    """
    ledger = Ledger.read(folder)
    lacking = [wanted for wanted in files if not ledger.has(wanted.target, wanted.sums.size)]
    arrived = sum(_size(folder / f"{wanted.target}.part") for wanted in lacking)
    folder.mkdir(parents=True, exist_ok=True)
    require_room(folder, sum(wanted.sums.size for wanted in lacking) - arrived)
    for number, wanted in enumerate(lacking, 1):
        say(f"{number} of {len(lacking)}: {wanted.target} from {wanted.hub}")
        part = fetch(folder, wanted, api)
        source = f"{wanted.hub}@{wanted.revision}"
        ledger = ledger.accept(part, wanted.target, source, check, wanted.sums)
    if trusted := sorted({wanted.hub for wanted in lacking if wanted.target not in known}):
        say(f"The checksums of {', '.join(trusted)} are from the hub itself.")


def list_files(
    api: HfApi, ledger: Ledger, known: Mapping[str, Checksums] = KNOWN_FILES, *, differentials: bool = True
) -> list[HubFile]:
    """The files of the release on the hub, of each repository at its pinned commit or the one taken before.

    differentials: whether Apple's are needed from there. ModelError if a repository cannot be listed, lacks
    its files, or has other files than those known.
    """
    files = _all_files(api, ledger, differentials)
    for wanted in files:
        if not wanted.target.isprintable():
            raise ModelError(f"{wanted.hub} lists a file with control characters in its name.")
        if wanted.sums.size <= 0:
            raise ModelError(f"{wanted.hub} lists {wanted.target} without a size.")
        if (expected := known.get(wanted.target)) and not wanted.sums.agrees_with(expected):
            raise ModelError(f"{wanted.hub} has another {wanted.target} than the published one.")
    return [replace(wanted, sums=known.get(wanted.target, wanted.sums)) for wanted in files]


def _all_files(api: HfApi, ledger: Ledger, differentials: bool) -> list[HubFile]:
    """LLaVA as a whole if it is beside the differentials, else its delta."""
    release = _listed(MGIE, api, ledger, is_needed=differentials)
    llava = [wanted for wanted in release if is_llava(wanted.target)]
    found = release if differentials else llava
    parts = OTHERS if llava else (LLAVA_DELTA, *OTHERS)
    return [*found, *(wanted for part in parts for wanted in _listed(part, api, ledger))]


def fetch(folder: Path, wanted: HubFile, api: HfApi) -> Path:
    """Download one file, resuming an earlier try; returns where it is. ModelError if it fails."""
    part = part_of(folder, wanted.target)
    there = _size(part)
    if there > wanted.sums.size:  # left by another version of the file
        part.unlink()
        there = 0
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
    return part


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


def _listed(part: Part, api: HfApi, ledger: Ledger, is_needed: bool = True) -> list[HubFile]:
    revision = REVISIONS.get(part.hub) or ledger.revision(part.hub)
    for kind in part.kinds:
        try:
            info = api.repo_info(part.hub, repo_type=kind, revision=revision, files_metadata=True)
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
    if not is_needed:
        return []
    raise ModelError(
        f"{part.hub} is not on the hub, or no longer holds what MGIE needs; "
        "`mgie download --from FOLDER` takes the files from this machine."
    )


def _checksums(sibling: RepoSibling) -> Checksums:
    lfs = sibling.lfs
    # The blob of a file in LFS is only a pointer, so its hash says nothing about the file.
    return Checksums(sibling.size or 0, lfs.sha256 if lfs else None, None if lfs else sibling.blob_id)


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0
