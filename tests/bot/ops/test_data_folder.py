"""A data folder that cannot be used is one sentence and exit code 2, at the start and for `--check`."""

import asyncio
import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.ops.data_folder import check_stored
from bot.settings import Settings
from conversations.errors import StoreError
from conversations.store.session_store import SessionStore
from mgie_engine.config import ModelConfig

PAGE = 4096
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2


def respect_modes() -> None:
    """Let the modes of files hold for the program that is started next, also for root."""
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


STARTS = """
import contextlib, io, json, os, sys
from bot.cli import main
for folder in sys.argv[1:]:
    os.environ["DATA_DIR"] = folder
    for options in [], ["--check"]:
        with contextlib.redirect_stderr(io.StringIO()) as said:
            code = main(options)
        print(json.dumps([code, said.getvalue()]))
"""


def started(*folders: Path) -> list[tuple[int, str]]:
    """Exit code and words of `mgie-bot`, then those of `mgie-bot --check`, for each of these folders."""
    place = folders[0].parent
    (place / "a-model").mkdir(exist_ok=True)
    (place / "a-model" / "config.json").write_text(ModelConfig(name="a-model").to_json())
    own = {name.upper() for name in Settings.model_fields}
    environment = {name: value for name, value in os.environ.items() if name not in own}
    environment |= {"LOG_LEVEL": "ERROR"}
    environment |= {
        "MGIE_MODEL": str(place / "a-model"),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    ended = subprocess.run(
        [sys.executable, "-c", STARTS, *map(str, folders)],
        env=environment,
        cwd=place,
        preexec_fn=respect_modes if sys.platform == "linux" else None,
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
    )
    said = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("[")]
    return [(code, words) for code, words in said]


def a_folder_as_database(data: Path) -> None:
    (data / "conversations.db").mkdir()


def text_as_database(data: Path) -> None:
    (data / "conversations.db").write_text("not a database at all, but long enough to be read" * 100)


def an_unreadable_database(data: Path) -> None:
    (data / "conversations.db").touch(mode=0o000)


def a_file_as_images(data: Path) -> None:
    (data / "images").touch()


def a_lost_link_as_images(data: Path) -> None:
    (data / "images").symlink_to(data / "nowhere")


def unreadable_images(data: Path) -> None:
    (data / "images").mkdir(mode=0o300)


def a_read_only_folder(data: Path) -> None:
    data.chmod(0o500)


def a_folder_nobody_may_enter(data: Path) -> None:
    data.chmod(0o000)


def a_file_as_folder(data: Path) -> None:
    data.rmdir()
    data.touch()


def a_folder_that_cannot_be_made(data: Path) -> None:
    data.chmod(0o500)


UNUSABLE = "cannot be used: it is not readable and writable."
CASES: list[tuple[Callable[[Path], None], str]] = [
    (a_folder_as_database, "conversations.db is not a file."),
    (text_as_database, "cannot be used as the conversation database: file is not a database"),
    (an_unreadable_database, f"conversations.db {UNUSABLE}"),
    (a_file_as_images, "images is not a folder."),
    (a_lost_link_as_images, "nowhere is not a folder."),
    (unreadable_images, f"images {UNUSABLE}"),
    (a_read_only_folder, f"a_read_only_folder {UNUSABLE}"),
    (a_folder_nobody_may_enter, f"a_folder_nobody_may_enter {UNUSABLE}"),
    (a_file_as_folder, "a_file_as_folder is not a folder."),
    (a_folder_that_cannot_be_made, f"a_folder_that_cannot_be_made {UNUSABLE}"),
]


def test_an_unusable_folder_is_a_sentence_and_exit_code_2(tmp_path: Path) -> None:
    folders = [tmp_path / spoil.__name__ for spoil, _ in CASES]
    for folder, (spoil, _) in zip(folders, CASES, strict=True):
        folder.mkdir()
        spoil(folder)
    folders[-1] /= "data"
    said = started(*folders)
    expected = [sentence for _, sentence in CASES for _ in ("start", "check")]
    for (code, words), sentence in zip(said, expected, strict=True):
        assert sentence in words
        assert words.count("\n") == 1
        assert code == 2


# -- damaged pages ------------------------------------------------------------------------------------------


@pytest.fixture
async def database(tmp_path: Path) -> Path:
    """A database of a few dozen pages."""
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "conversations.db"
    async with SessionStore.open(path) as store:
        for number in range(300):
            await store.seen(f"an event with a long name, {'x' * 200} {number}")
    return path


def damage(path: Path) -> None:
    """Overwrite the last pages."""
    with path.open("r+b") as file:
        file.seek(-8 * PAGE, os.SEEK_END)
        file.write(b"\xa5" * (8 * PAGE))


def killed_after_writing(path: Path, event: str) -> None:
    code = (
        "import os, sqlite3, sys; file = sqlite3.connect(sys.argv[1]);"
        "file.execute('INSERT INTO seen VALUES (?, 9e9)', sys.argv[2:]); file.commit();"
        "os.kill(os.getpid(), 9)"
    )
    command = [sys.executable, "-c", code, str(path), event]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL


def test_check_reads_every_page_and_changes_nothing(database: Path) -> None:
    whole = database.read_bytes()
    check_stored(database.parent)
    assert database.read_bytes() == whole
    damage(database)
    with pytest.raises(StoreError, match=r"conversations\.db is damaged \("):
        check_stored(database.parent)


async def test_a_sound_database_opens_after_a_kill(database: Path) -> None:
    await asyncio.to_thread(killed_after_writing, database, "one more")
    async with SessionStore.open(database) as store:
        assert await store.was_seen("one more")


async def test_a_damaged_database_is_found_at_the_start_after_a_kill(database: Path) -> None:
    await asyncio.to_thread(killed_after_writing, database, "one more")
    damage(database)
    with pytest.raises(StoreError, match=r"conversations\.db is damaged \("):
        async with SessionStore.open(database):
            pass
