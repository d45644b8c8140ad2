"""`mgie-bot`: says what is wrong and ends with 2, or serves until it is told to stop."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli import main, serve, summary
from bot.errors import CannotStart, FolderInUse
from bot.ops.instance_lock import single_instance
from bot.settings import Settings, read_settings
from conversations.images.image_store import ImageStore
from conversations.store.session_store import SessionStore
from mgie_engine.config import ModelConfig
from tests.support.fakes import EchoEditor


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def model_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "a-model"
    folder.mkdir()
    (folder / "config.json").write_text(ModelConfig(name="a-model").to_json())
    monkeypatch.setenv("MGIE_MODEL", str(folder))
    return folder


def test_help_tells_how_to_choose_the_chat(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "DISCORD_TOKEN" in capsys.readouterr().out


def test_a_malformed_setting_is_one_sentence_and_exit_code_2(monkeypatch, capsys):
    monkeypatch.setenv("WEB_PORT", "seven")
    assert main([]) == 2
    output = capsys.readouterr().err
    assert output.startswith("Cannot start: WEB_PORT: ")
    assert output.count("\n") == 1


def test_a_missing_model_is_said_with_the_places_looked_at(monkeypatch, capsys):
    monkeypatch.setenv("MGIE_MODEL", "no-such-model")
    assert main(["--check"]) == 2
    assert "MGIE_MODEL: No model 'no-such-model': looked for" in capsys.readouterr().err


@pytest.mark.usefixtures("model_folder")
def test_check_says_what_the_settings_mean_and_no_secret(monkeypatch, capsys):
    monkeypatch.setenv("DISCORD_TOKEN", "very-secret")
    assert main(["--check"]) == 0
    output = capsys.readouterr().out
    assert "chat    Discord" in output
    assert "model   a-model" in output
    assert "very-secret" not in output


@pytest.mark.parametrize("options", [[], ["--check"], ["--local"]])
def test_a_cluster_without_ray_is_one_sentence_and_exit_code_2(monkeypatch, capsys, options: list[str]):
    monkeypatch.setenv("MGIE_CLUSTER", "local")
    monkeypatch.setitem(sys.modules, "ray", None)  # as where it is not installed
    assert main(options) == 2
    said = "MGIE_CLUSTER is set, and Ray is not installed here: pip install 'mgie[cluster]'.\n"
    assert capsys.readouterr().err == said


def test_the_client_protocol_of_ray_is_refused_with_what_to_write_instead(monkeypatch, capsys):
    monkeypatch.setenv("MGIE_CLUSTER", "ray://head:10001")
    assert main([]) == 2
    assert "ray start --address=HOST:6379" in capsys.readouterr().err


@pytest.mark.usefixtures("model_folder")
@pytest.mark.parametrize("options", [[], ["--check"], ["--local"], ["--local", "--check"]])
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "studio.lan"])
def test_a_page_for_other_machines_needs_names(monkeypatch, capsys, host, options):
    monkeypatch.setenv("WEB_HOST", host)
    if "--local" in options:
        monkeypatch.setenv("DISCORD_TOKEN", "very-secret")
    assert main(options) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"WEB_HOST: {host} lets other machines reach the page; list the host names")
    assert told.count("\n") == 1


@pytest.mark.usefixtures("model_folder")
@pytest.mark.parametrize(
    "settings",
    [
        {"WEB_HOST": "0.0.0.0", "PAGE_NAMES": "Studio.lan, 192.168.1.5,[fe80::1]"},
        {"WEB_HOST": "127.0.0.2"},
        {"WEB_HOST": "::1"},
        {"WEB_HOST": "localhost"},
        {"WEB_HOST": "0.0.0.0", "DISCORD_TOKEN": "very-secret"},  # serves no page
    ],
)
def test_a_page_with_names_or_for_this_machine_only_may_start(monkeypatch, settings):
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert main(["--check"]) == 0


@pytest.mark.usefixtures("model_folder")
@pytest.mark.parametrize("names", ["http://studio.lan", "studio.lan:7860", "*", "a b"])
def test_names_of_the_page_are_names_only(monkeypatch, capsys, names):
    monkeypatch.setenv("PAGE_NAMES", names)
    assert main(["--check"]) == 2
    assert "PAGE_NAMES: list host names" in capsys.readouterr().err


def test_without_a_token_the_page_is_named():
    assert "page at http://127.0.0.1:7860" in summary(read_settings(None), ModelConfig())


@pytest.mark.usefixtures("model_folder")
def test_a_folder_in_use_is_named_with_its_holder(tmp_path, capsys):
    code = (
        "import sys; from pathlib import Path; from bot.ops.instance_lock import single_instance\n"
        "with single_instance(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "data")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert main([]) == 2
        holder.kill()
    assert f"(process {holder.pid}) already works on" in capsys.readouterr().err
    with single_instance(tmp_path / "data"):
        pass  # free again although its holder was killed


@pytest.mark.usefixtures("model_folder")
def test_a_data_folder_that_is_a_file_is_said(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "file"))
    assert main([]) == 2
    assert capsys.readouterr().err.startswith("DATA_DIR: ")


@pytest.mark.usefixtures("model_folder")
def test_a_database_that_is_none_is_said(tmp_path, capsys):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "conversations.db").write_text("not a database at all, but long enough to be read")
    assert main([]) == 2
    assert "cannot be used as the conversation database" in capsys.readouterr().err


@pytest.mark.usefixtures("model_folder")
def test_a_discord_that_cannot_be_reached_is_said(monkeypatch):
    monkeypatch.setenv("DISCORD_TOKEN", "very-secret")
    monkeypatch.setenv("DISCORD_API_BASE", "http://127.0.0.1:9")
    command = [sys.executable, "-m", "bot"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert "http://127.0.0.1:9 cannot be reached" in ended.stderr
    assert "very-secret" not in ended.stderr


def test_a_folder_is_held_only_once(tmp_path):
    with single_instance(tmp_path), pytest.raises(FolderInUse), single_instance(tmp_path):
        pass


def test_the_lock_is_never_written_through_a_link(tmp_path):
    target = tmp_path / "precious"
    for link in (os.symlink, os.link):
        target.write_text("precious")
        folder = tmp_path / link.__name__
        folder.mkdir()
        link(target, folder / "bot.lock")
        with pytest.raises(CannotStart, match=r"bot\.lock is not a plain file"), single_instance(folder):
            pass
        assert target.read_text() == "precious"


def test_a_lock_that_is_a_pipe_is_said(tmp_path):
    os.mkfifo(tmp_path / "bot.lock")
    with pytest.raises(CannotStart, match=r"bot\.lock is not a plain file"), single_instance(tmp_path):
        pass


async def test_what_the_bot_keeps_is_closed_to_other_users(tmp_path, caplog):
    data = tmp_path / "data"
    for folder in (data, data / "images"):
        folder.mkdir(mode=0o755)
    (data / "bot.lock").touch(mode=0o644)
    (data / "conversations.db").touch(mode=0o644)
    with single_instance(data):
        key = ImageStore(data / "images").put(b"a picture")
        async with SessionStore.open(data / "conversations.db") as store:
            await store.bot.write()
            modes = {path.name: path.stat().st_mode & 0o777 for path in [data, *data.rglob("*")]}
    folders = {"data": 0o700, "images": 0o700, key[:2]: 0o700}
    beside = [f"conversations.db{end}" for end in ("", "-wal", "-shm")]
    assert modes == {**folders, **dict.fromkeys(["bot.lock", f"{key}.png", *beside], 0o600)}
    assert f"{data} could be used by other users (mode 0755); now only by its owner" in caplog.text


def test_nothing_heavy_is_imported_to_start():
    heavy = "{'torch', 'discord', 'transformers'}"
    code = f"import sys, bot.cli; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


async def test_it_serves_the_page_until_a_signal_and_drains(monkeypatch):
    monkeypatch.setenv("WEB_PORT", "0")
    monkeypatch.setenv("HEALTH_PORT", "0")
    output: asyncio.Queue[str] = asyncio.Queue()
    serving = asyncio.create_task(
        serve(read_settings(None), ModelConfig(), EchoEditor(), say=output.put_nowait)
    )
    async with asyncio.timeout(60):
        assert (await output.get()).startswith("mgie-bot is at http://127.0.0.1:")
        os.kill(os.getpid(), signal.SIGTERM)
        await serving


def test_an_api_for_other_machines_needs_keys(monkeypatch, capsys):
    monkeypatch.setenv("API_HOST", "0.0.0.0")
    monkeypatch.setenv("API_PORT", "8000")
    assert main(["--check"]) == 2
    assert "list keys in API_KEYS" in capsys.readouterr().err
    monkeypatch.setenv("API_KEYS", "short")
    assert main(["--check"]) == 2
    assert "API_KEYS: list keys" in capsys.readouterr().err
    monkeypatch.setenv("API_KEYS", "a-key-for-one-program, another-long-key-here")
    assert main(["--check"]) == 0
    shown = capsys.readouterr().out
    assert "http://0.0.0.0:8000/v1" in shown
    assert "a-key-for" not in shown
