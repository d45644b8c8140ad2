"""Whether the data folder can be used, said in a sentence before anything in it is opened."""

import os
from pathlib import Path

from bot.errors import CannotStart
from conversations.store.integrity import check_database

DATABASE, IMAGES = "conversations.db", "images"


def check_data_folder(data: Path) -> None:
    """CannotStart when the folder, its image folder or database cannot be used or made."""
    for folder in (data, data / IMAGES):
        if os.path.lexists(folder):
            _check_folder(folder)
    if not data.exists():
        _check_folder(next(parent for parent in data.resolve().parents if parent.exists()))
    if os.path.lexists(data / DATABASE):
        _check_file(data / DATABASE)


def check_stored(data: Path) -> None:
    """As check_data_folder, and reads the database: StoreError when it is none or damaged."""
    check_data_folder(data)
    if (data / DATABASE).exists():
        check_database(data / DATABASE)


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise CannotStart(f"DATA_DIR: {folder.resolve()} is not a folder.")
    _check_rights(folder, os.R_OK | os.W_OK | os.X_OK)


def _check_file(file: Path) -> None:
    if not file.is_file():
        raise CannotStart(f"DATA_DIR: {file.resolve()} is not a file.")
    _check_rights(file, os.R_OK | os.W_OK)


def _check_rights(path: Path, rights: int) -> None:
    if not os.access(path, rights):
        raise CannotStart(f"DATA_DIR: {path.resolve()} cannot be used: it is not readable and writable.")
