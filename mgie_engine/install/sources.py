"""Where published files come from: Apple's archive of its differentials, then the hub. Imports no torch."""

from collections.abc import Mapping
from pathlib import Path

from huggingface_hub import HfApi

from mgie_engine.checkpoints.layout import DIFFERENTIAL_FILES, DIFFERENTIALS, MGIE_HUB, missing
from mgie_engine.errors import ModelError
from mgie_engine.install.copying import unpack_differentials
from mgie_engine.install.download import fetch_files, list_files
from mgie_engine.install.known_files import KNOWN_FILES
from mgie_engine.install.ledger import Check, Checksums, Ledger, Say, require_room
from mgie_engine.install.resumable import Unavailable, download

APPLE = "https://docs-assets.developer.apple.com/ml-research/models/mgie/mgie_7b.tar.gz"
MOST_ARCHIVE_BYTES = 4 * 2**30  # what it unpacks to has 2.3 GB
_ARCHIVE = "mgie_7b.tar.gz"


def fetch_all(
    folder: Path,
    api: HfApi,
    say: Say,
    check: Check,
    most: Mapping[str, int],
    archive: str | None = APPLE,
    known: Mapping[str, Checksums] = KNOWN_FILES,
) -> None:
    """Download everything that is missing. ModelError says what went wrong and what to do.

    check: is asked about every file before it gets its place. most: as for `unpack`. archive: address of
    Apple's archive; None takes all from the hub. known: sums that count instead of the hub's, by place in the
    folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lacks = not _has_differentials(folder)
    if lacks and archive:
        try:
            fetch_archive(archive, folder, say, check, most)
            lacks = False
        except Unavailable as error:
            say(f"{error} The hub's {MGIE_HUB} is tried instead.")
    files = list_files(api, Ledger.read(folder), known, differentials=lacks)
    fetch_files(files, folder, api, say, check, known)
    say(f"What can be downloaded is in {folder}, checked.")


def fetch_archive(address: str, folder: Path, say: Say, check: Check, most: Mapping[str, int]) -> None:
    """Download and unpack Apple's archive. Unavailable if it is not offered; ModelError if it is at fault."""
    say(f"{' and '.join(DIFFERENTIAL_FILES)} from {address}")
    unpacked = sum(most.values())
    archive = download(
        address, folder, _ARCHIVE, MOST_ARCHIVE_BYTES, lambda size: require_room(folder, size + unpacked)
    )
    try:
        unpack_differentials(archive, folder, address, check, most)
    except ModelError:
        archive.unlink()  # else it would be found at fault again for ever
        raise
    archive.unlink()
    say("No checksum of that archive is published; sizes, names and shapes of its tensors were checked.")


def still_missing(folder: Path) -> list[str]:
    """What is missing to load a model's folder, one sentence each."""
    found = (*folder.glob("*/*"), *folder.glob("*/*/*"))
    return missing({path.relative_to(folder).as_posix() for path in found if path.is_file()})


def _has_differentials(folder: Path) -> bool:
    ledger = Ledger.read(folder)
    places = [f"{DIFFERENTIALS}/{name}" for name in DIFFERENTIAL_FILES]
    return all(place in ledger.files and ledger.has(place, ledger.files[place].size) for place in places)
