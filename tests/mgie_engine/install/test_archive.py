import gzip
import io
import tarfile

import pytest

from mgie_engine.errors import ModelError
from mgie_engine.install.archive import MOST_MEMBERS, unpack

MOST = {"mllm.pt": 4000, "unet.pt": 5000}
FILES = {"mgie_7b/mllm.pt": b"m" * 3000, "mgie_7b/unet.pt": b"u" * 5000}


def member(name, data=b"", **changes):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for field, value in changes.items():
        setattr(info, field, value)
    return info, data


def packed(folder, *members, form=tarfile.PAX_FORMAT):
    """An archive with these members after the files that belong there, gzipped."""
    file = folder / "mgie_7b.tar.gz"
    with tarfile.open(file, "w:gz", format=form) as tar:
        for info, data in (*(member(name, data) for name, data in FILES.items()), *members):
            tar.addfile(info, io.BytesIO(data))
    return file


def unpacked(archive, folder):
    (folder / "out").mkdir(exist_ok=True)
    found = unpack(archive, lambda name: folder / "out" / f"{name}.part", MOST)
    return {name: part.read_bytes() for name, part in found.items()}


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


WANTED = {"mllm.pt": FILES["mgie_7b/mllm.pt"], "unet.pt": FILES["mgie_7b/unet.pt"]}
FOLDER = member("mgie_7b", type=tarfile.DIRTYPE)
HARMLESS = {
    "a folder and a note": [FOLDER, member("mgie_7b/README", b"#")],
    "the shadows that macOS adds": [member("mgie_7b/._mllm.pt", b"x"), member("./mgie_7b/.DS_Store", b"x")],
    "attributes": [member("README", b"#", pax_headers={"LIBARCHIVE.xattr.com.apple.quarantine": "x" * 900})],
    "a long name": [member("a/" * 90 + "README", b"#")],
}


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("more", HARMLESS.values(), ids=HARMLESS)
def test_the_two_files_come_out_and_nothing_else(tmp_path, more, form):
    assert unpacked(packed(tmp_path, *more, form=form), tmp_path) == WANTED
    assert files(tmp_path / "out") == ["mllm.pt.part", "unet.pt.part"]


@pytest.mark.parametrize("place", ["", "./", "_ckpt/mgie_7b/"])
def test_folders_in_the_archive_do_not_matter(tmp_path, place):
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, "w") as tar:
        for name, data in WANTED.items():
            tar.addfile(*(lambda info, data: (info, io.BytesIO(data)))(*member(place + name, data)))
    assert unpacked(archive, tmp_path) == WANTED


def test_gzip_in_several_pieces_is_one_archive(tmp_path):
    whole = gzip.decompress(packed(tmp_path).read_bytes())
    archive = tmp_path / "pieces.tar.gz"
    archive.write_bytes(gzip.compress(whole[:5000]) + gzip.compress(whole[5000:]))
    assert unpacked(archive, tmp_path) == WANTED


HOSTILE = {
    "a symbolic link": (member("mgie_7b/x", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "neither a file"),
    "a hard link": (member("x", type=tarfile.LNKTYPE, linkname="mgie_7b/mllm.pt"), "neither a file"),
    "a device": (member("x", type=tarfile.BLKTYPE), "neither a file nor a folder"),
    "a character device": (member("x", type=tarfile.CHRTYPE), "neither a file nor a folder"),
    "a pipe": (member("x", type=tarfile.FIFOTYPE), "neither a file nor a folder"),
    "an absolute name": (member("/etc/cron.d/x", b"x"), "holds the name"),
    "a name that leads out": (member("mgie_7b/../../x", b"x"), "holds the name"),
    "a name that leads out on Windows": (member("..\\x", b"x"), "holds the name"),
    "a name with control characters": (member("a\nERROR\x1b[31m", b"x"), "holds the name"),
    "a long name that leads out": (member("../" * 60 + "x", b"x"), "holds the name"),
    "a file twice": (member("other/mllm.pt", b"x"), "holds mllm.pt twice"),
    "a note of 2 MB": (member("x", b"x", pax_headers={"comment": "x" * 2**21}), "at most 1048576"),
}


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize(("evil", "complaint"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_member_makes_the_whole_archive_refused(tmp_path, evil, complaint, form):
    if evil[0].pax_headers:
        form = tarfile.PAX_FORMAT
    archive = packed(tmp_path, evil, form=form)
    with pytest.raises(ModelError, match=complaint) as caught:
        unpacked(archive, tmp_path)
    assert str(caught.value).isprintable()
    assert files(tmp_path) == ["mgie_7b.tar.gz"]


def written(folder, header, rest=b""):
    """An archive that begins with a header of our own."""
    archive = folder / "a.tar.gz"
    archive.write_bytes(gzip.compress(header + rest, 1))
    return archive


@pytest.mark.parametrize("size", [4001, 2**40, 2**62, -512])
@pytest.mark.parametrize("name", ["mgie_7b/mllm.pt", "mgie_7b/other"])
def test_a_size_beyond_bounds_is_refused_before_anything_is_written(tmp_path, name, size):
    if name.endswith("other") and 0 < size < 2**30:
        return
    header = member(name, size=0)[0]
    header.size = size
    archive = written(tmp_path, header.tobuf(tarfile.GNU_FORMAT), bytes(2**20))
    with pytest.raises(ModelError, match=f"with {size} bytes, and at most"):
        unpacked(archive, tmp_path)
    assert files(tmp_path) == ["a.tar.gz"]


def test_a_sparse_file_is_refused(tmp_path):
    header = member("mgie_7b/mllm.pt", type=tarfile.GNUTYPE_SPARSE)[0].tobuf(tarfile.GNU_FORMAT)
    with pytest.raises(ModelError, match="neither a file nor a folder"):
        unpacked(written(tmp_path, header), tmp_path)


def test_members_without_end_are_refused(tmp_path):
    archive = written(tmp_path, member("a")[0].tobuf() * (MOST_MEMBERS + 1))
    with pytest.raises(ModelError, match=f"holds over {MOST_MEMBERS} members"):
        unpacked(archive, tmp_path)


@pytest.mark.parametrize("cut", [0, 1, 15, 100, -20])
def test_an_archive_that_is_cut_off_is_damaged(tmp_path, cut):
    archive = packed(tmp_path)
    archive.write_bytes(archive.read_bytes()[:cut])
    with pytest.raises(ModelError, match=r"is damaged or no archive|does not hold mllm\.pt and unet\.pt"):
        unpacked(archive, tmp_path)
    assert files(tmp_path) == ["mgie_7b.tar.gz"]


@pytest.mark.parametrize(
    "data", [b"<html>Not found</html>" * 40, b"\x1f\x8b" + b"?" * 100, b"PK\x03\x04" * 200]
)
def test_what_is_no_archive_is_said_to_be_none(tmp_path, data):
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(data)
    with pytest.raises(ModelError, match="is damaged or no archive"):
        unpacked(archive, tmp_path)


def test_an_archive_of_something_else_lacks_the_files(tmp_path):
    archive = written(tmp_path, member("README")[0].tobuf())
    with pytest.raises(ModelError, match=r"does not hold mllm\.pt and unet\.pt; it is not unpacked"):
        unpacked(archive, tmp_path)
