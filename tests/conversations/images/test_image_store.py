"""ImageStore: pictures under the hash of their bytes."""

import os
from pathlib import Path

import pytest

from conversations.atomic_write import write_atomically
from conversations.errors import PictureMissing
from conversations.images.image_store import ImageStore
from tests.support.fakes import a_picture


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "pictures")


def test_a_damaged_file_is_replaced_when_the_same_picture_comes_again(store):
    for damage in (b"", b"a picturE", b"a picture and more"):
        key = store.put(b"a picture")
        store.path(key).write_bytes(damage)
        assert store.put(b"a picture") == key
        assert store.get(key) == b"a picture"


def test_the_total_follows_what_is_put_and_deleted(store):
    first = store.put(b"four")
    assert store.total_bytes() == 4
    store.put(b"four")
    store.put(b"eleven byte")
    assert store.total_bytes() == 15
    store.delete(first)
    store.delete(first)
    assert store.total_bytes() == 11
    store.path(first).write_bytes(b"by others")
    assert (store.total_bytes(), store.recount()) == (11, 20)


def test_what_killed_writes_left_is_deleted_once_it_is_old(store):
    key = store.put(b"a picture")
    old, young = (store.path(key).with_name(f"{key}.png.{name}.part") for name in ("old", "young"))
    for part in (old, young):
        part.touch()
    os.utime(old, (1000, 1000))
    assert store.delete_partial_files(before=2000) == 1
    assert (old.exists(), young.exists(), store.get(key)) == (False, True, b"a picture")


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


def test_a_picture_counted_while_it_is_stored_counts_once(tmp_path, monkeypatch):
    images = ImageStore(tmp_path)

    def written(path, data, *, private):
        write_atomically(path, data, private=private)
        assert images.recount() == len(data)  # as a tidy on another thread does at that moment

    monkeypatch.setattr("conversations.images.image_store.write_atomically", written)
    images.put(a_picture())
    assert images.total_bytes() == len(a_picture())
