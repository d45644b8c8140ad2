"""Unpacks Apple's archive of its differentials without trusting it. Imports no torch.

Only the files that are looked for are written, under names of our own. A member that has no place in such an
archive (a link, a device, a path that leads elsewhere, a size beyond bounds) makes the whole archive refused.
"""

import gzip
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from mgie_engine.errors import ModelError
from mgie_engine.install.ledger import copy_bytes
from mgie_engine.model_files import require_regular

MOST_MEMBERS = 100
MOST_NOTE_BYTES = 2**20  # of a member that describes the next one: a long name, attributes
MOST_OTHER_BYTES = 2**30  # of a file that is not looked for
_GZIP = b"\x1f\x8b"
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE)
_NOTES = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME)


class _Refused(Exception):
    """What is wrong with an archive."""


def unpack(archive: Path, place: Callable[[str], Path], most: Mapping[str, int]) -> dict[str, Path]:
    """Write files of an archive, each to `place(its name)`, and return the paths by name.

    most: the largest size in bytes of every file that is looked for, by its name. The archive is a tar,
    gzipped or not; folders in it do not matter. ModelError if it is damaged or hostile, or lacks one of the
    files; nothing is left then.
    """
    require_regular(archive)
    written: dict[str, Path] = {}
    try:
        with _complaints(archive), _opened(archive) as stream:
            for member, name in _files(stream, most):
                if name in written:
                    raise _Refused(f"holds {name} twice")
                written[name] = place(name)
                with written[name].open("wb") as target:
                    copy_bytes(stream, target, member.size, name)
            if lacking := sorted(most.keys() - written.keys()):
                raise _Refused(f"does not hold {' and '.join(lacking)}")
    except ModelError:
        for part in written.values():
            part.unlink(missing_ok=True)
        raise
    return written


def _files(stream: BinaryIO, most: Mapping[str, int]) -> Iterator[tuple[tarfile.TarInfo, str]]:
    """The members that are looked for, with their names; each is to be read before the next is asked for.

    Headers are parsed by tarfile, but notes (PAX, GNU) are skipped: tarfile would read what they announce
    into memory, and a name from them is not needed.
    """
    for _ in range(MOST_MEMBERS + 1):
        block = stream.read(tarfile.BLOCKSIZE)
        if not any(block):
            return
        member = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        name = PurePosixPath(member.name).name
        _check(member, most.get(name, MOST_OTHER_BYTES))
        if member.type in _FILES and name in most:
            yield member, name
        else:
            copy_bytes(stream, None, member.size, name)
        copy_bytes(stream, None, -member.size % tarfile.BLOCKSIZE, name)
    raise _Refused(f"holds over {MOST_MEMBERS} members")


def _check(member: tarfile.TarInfo, most: int) -> None:
    if member.type in _NOTES:
        most = MOST_NOTE_BYTES
    elif member.type not in (*_FILES, tarfile.DIRTYPE):
        raise _Refused(f"holds {member.name!r}, which is neither a file nor a folder")
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\\" in member.name or not member.name.isprintable():
        raise _Refused(f"holds the name {member.name!r}")
    if not 0 <= member.size <= most:
        raise _Refused(f"holds {member.name!r} with {member.size} bytes, and at most {most} are taken")


@contextmanager
def _opened(archive: Path) -> Iterator[BinaryIO]:
    with archive.open("rb") as file:
        is_packed = file.read(len(_GZIP)) == _GZIP
        file.seek(0)
        yield cast(BinaryIO, gzip.GzipFile(fileobj=file)) if is_packed else file


@contextmanager
def _complaints(archive: Path) -> Iterator[None]:
    try:
        yield
    except _Refused as error:
        raise ModelError(f"{archive} {error}; it is not unpacked.") from None
    except (EOFError, OSError, tarfile.TarError, zlib.error) as error:
        raise ModelError(f"{archive} is damaged or no archive: {error}.") from error
