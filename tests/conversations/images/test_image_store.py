"""ImageStore: pictures under the hash of their bytes."""

from pathlib import Path

import pytest

from conversations.errors import PictureMissing
from conversations.images.image_store import ImageStore


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "pictures")


def test_what_was_put_can_be_got(store: ImageStore) -> None:
    assert store.get(store.put(b"a picture")) == b"a picture"


def test_the_same_bytes_are_kept_once(store: ImageStore) -> None:
    keys = {store.put(b"a picture") for _ in range(3)}
    assert len(keys) == 1
    assert set(store.keys()) == keys


def test_nothing_but_pictures_lies_in_the_folder(store: ImageStore) -> None:
    key = store.put(b"a picture")
    assert [path for path in store.folder.rglob("*") if path.is_file()] == [store.path(key)]


def test_a_missing_picture_is_said_to_be_missing(store: ImageStore) -> None:
    with pytest.raises(PictureMissing, match="the picture abababababab is no longer stored"):
        store.get("ab" * 32)


def test_deleting_is_final_and_may_be_repeated(store: ImageStore) -> None:
    key = store.put(b"a picture")
    store.delete(key)
    store.delete(key)
    assert list(store.keys()) == []


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "AB" * 32, "ab" * 31, "ab" * 32 + "\n"])
def test_only_a_key_leads_to_a_file(store: ImageStore, key: str) -> None:
    with pytest.raises(ValueError, match="is not the key of a picture"):
        store.path(key)


def test_a_half_written_file_is_no_picture(store: ImageStore) -> None:
    key = store.put(b"a picture")
    (store.path(key).parent / "tmpxyz.part").write_bytes(b"a pic")
    assert list(store.keys()) == [key]
