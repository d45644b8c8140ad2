"""`mgie-bot --check` says what a bot for everybody lacks."""

from pathlib import Path

import pytest

from bot.ops.backup import NOTE
from bot.public_check import public_check
from bot.settings import Settings, read_settings

NOW = 1_800_000_000.0
COMPLETE = {
    "OPERATOR_IDS": "1,2",
    "PRIVACY_URL": "https://example.org/privacy",
    "TERMS_URL": "https://example.org/terms",
    "NOTICE_EMAIL": "notices@example.org",
    "NOTICE_URL": "https://example.org/notice",
    "NOTICE_PORT": "7870",
    "SHARE_ALL_HOUR": "100",
    "SHARE_USER_DAY": "20",
}


@pytest.fixture(autouse=True)
def _public_bot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in {**COMPLETE, "DISCORD_TOKEN": "secret", "DATA_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / NOTE).write_text(f"{NOW - 3600:.0f}\n")


def found(now: float = NOW) -> str:
    """What is missing, with a classifier that needs not be installed here."""
    return public_check(read_settings(None).model_copy(update={"safety": "block"}), now)


def test_nothing_is_missing_where_all_is_set() -> None:
    assert "nothing is missing" in found()


@pytest.mark.parametrize(
    "name", ["OPERATOR_IDS", "PRIVACY_URL", "TERMS_URL", "NOTICE_PORT", "SHARE_ALL_HOUR"]
)
def test_each_setting_that_is_missing_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(name)
    said = found()
    assert said.count("missing:") == 1
    assert name in said
    assert "secret" not in said


def test_pictures_that_nothing_looks_at_and_an_old_backup_are_named() -> None:
    unsafe = read_settings(None)
    assert "SAFETY" in public_check(unsafe, NOW)
    assert "no backup was made within 7 days" in found(NOW + 8 * 24 * 3600)


def test_a_page_of_this_machine_alone_is_not_public(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISCORD_TOKEN", "PRIVACY_URL", "TERMS_URL"):
        monkeypatch.delenv(name)
    assert public_check(read_settings(None), NOW) == ""
    monkeypatch.setenv("PAGE_NAMES", "mgie.example.org")
    assert "PRIVACY_URL" in public_check(read_settings(None), NOW)


@pytest.mark.parametrize(("name", "value"), [("PRIVACY_URL", "javascript:x"), ("NOTICE_EMAIL", "nobody")])
def test_addresses_are_checked(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Exception, match=name):
        read_settings(None)
