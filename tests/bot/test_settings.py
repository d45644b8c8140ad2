"""Settings come from the environment, then from .env; what cannot be read is one sentence."""

import re
from pathlib import Path

import pytest

from bot.errors import SettingsError
from bot.settings import Settings, read_settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"
LINE = re.compile(r"^([A-Z0-9_]+)=(.*)$", re.MULTILINE)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_the_example_names_every_setting_and_no_other():
    names = [name for name, _ in LINE.findall(EXAMPLE.read_text("utf-8"))]
    assert sorted(names) == sorted(field.upper() for field in Settings.model_fields)


def test_the_example_is_the_defaults():
    assert read_settings(EXAMPLE) == read_settings(None)


def test_every_setting_of_the_example_is_explained():
    lines = EXAMPLE.read_text("utf-8").splitlines()
    blocks = "\n".join(lines).split("\n\n")
    for block in blocks[1:]:
        assert re.search(r"^# .*\n[A-Z0-9_]+=", block, re.MULTILINE), block


def test_the_environment_beats_the_file(tmp_path, monkeypatch):
    file = tmp_path / ".env"
    file.write_text("WEB_PORT=1111\nMGIE_MODEL=mgie-7b\n")
    monkeypatch.setenv("WEB_PORT", "2222")
    settings = read_settings(file)
    assert (settings.web_port, settings.mgie_model) == (2222, "mgie-7b")


def test_an_empty_value_is_the_default(monkeypatch):
    monkeypatch.setenv("DISCORD_TOKEN", "")
    monkeypatch.setenv("MGIE_SLOTS", "")
    settings = read_settings(None)
    assert (settings.discord_token, settings.mgie_slots) == (None, None)


def test_hosts_are_separated_by_commas(monkeypatch):
    monkeypatch.setenv("DISCORD_CDN_HOSTS", "cdn.example, Media.Example:8080")
    assert read_settings(None).discord_cdn_hosts == ("cdn.example", "media.example:8080")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEB_PORT", "seven"),
        ("WEB_PORT", "70000"),
        ("MGIE_SLOTS", "0"),
        ("LOG_LEVEL", "chatty"),
        ("DISCORD_API_BASE", "discord.example"),
        ("DISCORD_GATEWAY_URL", "https://gateway.example"),
        ("DISCORD_CDN_HOSTS", "https://cdn.example/"),
        ("MAX_WAITING_PER_PERSON", "0"),
        ("MESSAGE_CONTENT_INTENT", "perhaps"),
    ],
)
def test_what_cannot_be_read_is_named_in_one_sentence(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=rf"^Cannot start: {name}: [^\n]+ See \.env\.example\.$"):
        read_settings(None)


def test_a_file_that_is_not_text_is_said(tmp_path):
    (tmp_path / ".env").write_bytes(b"WEB_PORT=\xff\xfe")
    with pytest.raises(SettingsError, match="is not UTF-8 text"):
        read_settings(tmp_path / ".env")


def test_a_secret_is_never_repeated(monkeypatch):
    monkeypatch.setenv("DISCORD_TOKEN", "very-secret")
    monkeypatch.setenv("WEB_PORT", "very-secret")
    with pytest.raises(SettingsError) as raised:
        read_settings(None)
    assert "very-secret" not in str(raised.value)
    monkeypatch.delenv("WEB_PORT")
    assert "very-secret" not in repr(read_settings(None))


def test_the_limits_are_those_of_the_rules(monkeypatch):
    monkeypatch.setenv("MAX_WAITING", "7")
    monkeypatch.setenv("HEAD_MINUTES", "2")
    limits = read_settings(None).limits
    assert (limits.waiting, limits.head_ttl_s, limits.instruction_chars) == (7, 120.0, 400)
