"""The rules of a server: what is decided, kept, and how it narrows the bot's own limits."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.chat.events import ButtonAction
from bot.chat.moderation_events import ModAction, ModActionRequested
from bot.chat.replies import Accepted, Note, Say, buttons
from bot.policy.limits import Limits
from bot.policy.server_settings import ServerSettingsStore, limits_of, with_one
from bot.workflow.moderation import apply
from conversations.request_source import RequestSource
from conversations.servers import DEFAULT_SERVER_SETTINGS, AuditEntry, ServerSettings
from conversations.store.server_tables import AUDIT_ENTRIES_KEPT
from conversations.store.session_store import SessionStore
from tests.support.fakes import EchoEditor, a_picture
from tests.support.workflow_room import desk

HOUSE, ANN, PLACE = "paper:1", "paper:ann", "paper:c1"


def rule(rule: ModAction, subject: str = "", **numbers: int) -> ModActionRequested:
    return ModActionRequested(
        person="paper:mod", channel=PLACE, event_id="e", action=rule, subject=subject, **numbers
    )


def test_a_decision_and_its_opposite_leave_things_as_they_were() -> None:
    for on, off, subject in (
        (ModAction.PAUSE, ModAction.RESUME, ""),
        (ModAction.CLOSE, ModAction.OPEN, PLACE),
        (ModAction.HIDE, ModAction.OPEN, PLACE),
        (ModAction.LISTEN, ModAction.IGNORE, PLACE),
        (ModAction.OWN_ONLY, ModAction.BY_CONSENT, ""),
        (ModAction.BLOCK, ModAction.UNBLOCK, ANN),
        (ModAction.BLOCK_IMAGE, ModAction.UNBLOCK_IMAGE, "0123456789abcdef"),
    ):
        decided = apply(DEFAULT_SERVER_SETTINGS, rule(on, subject))
        assert decided != DEFAULT_SERVER_SETTINGS
        assert apply(decided, rule(off, subject)) == DEFAULT_SERVER_SETTINGS


def test_a_limit_that_is_not_named_stays_and_zero_takes_it_back() -> None:
    both = apply(DEFAULT_SERVER_SETTINGS, rule(ModAction.LIMITS, waiting=2, per_day=9))
    assert (both.waiting, both.per_day) == (2, 9)
    assert apply(both, rule(ModAction.LIMITS, waiting=0)) == ServerSettings(per_day=9)


@pytest.mark.parametrize(("waiting", "held_to"), [(None, 3), (1, 1), (50, 3)])
def test_a_server_can_only_narrow_the_limits_of_the_bot(waiting: int | None, held_to: int) -> None:
    limits = limits_of(ServerSettings(waiting=waiting), Limits(waiting_per_person=3))
    assert limits.waiting_per_person == held_to


def test_a_group_holds_everybody_once() -> None:
    assert with_one(("a", "b"), "a", is_in=True) == ("b", "a")
    assert with_one(("a", "b"), "a", is_in=False) == ("b",)


async def test_the_audit_log_keeps_the_newest_entries_of_each_server(tmp_path: Path) -> None:
    async with SessionStore.open(tmp_path / "bot.db") as store:
        for number in range(AUDIT_ENTRIES_KEPT + 1):
            entry = AuditEntry(float(number), "paper:mod", "pause")
            await store.servers.change(HOUSE, lambda settings: settings, entry)
        await store.servers.change(
            "paper:2", lambda settings: settings, AuditEntry(0.5, "paper:mod", "pause")
        )
        kept = [entry.at for entry in await store.servers.audit_log(HOUSE)]
    assert kept == [float(number) for number in range(AUDIT_ENTRIES_KEPT, 0, -1)]


async def test_settings_outlive_the_process_and_stay_in_their_server(tmp_path: Path) -> None:
    entry = AuditEntry(1.0, "paper:mod", "block", ANN)
    async with SessionStore.open(tmp_path / "bot.db") as store:
        decided = await store.servers.change(
            HOUSE, lambda settings: replace(settings, blocked=(ANN,), hidden=(PLACE,), per_day=3), entry
        )
        await store.servers.change(HOUSE, lambda settings: replace(settings, closed=("paper:c2", PLACE)))
    async with SessionStore.open(tmp_path / "bot.db") as store:
        settings = ServerSettingsStore(store)
        assert await settings.rules(HOUSE) == replace(decided, closed=("paper:c2", PLACE))
        assert await settings.rules("paper:2") == await settings.rules(None) == DEFAULT_SERVER_SETTINGS
        assert await store.servers.audit_log(HOUSE) == (entry,)


async def test_two_edits_at_once_do_not_both_take_the_last_place_of_a_day(tmp_path: Path) -> None:
    async with desk(tmp_path, EchoEditor()) as d:
        await d.store.servers.change(HOUSE, lambda rules: replace(rules, per_day=1))
        both = [
            d.asked("make it red", channel=channel, picture=a_picture(), source=RequestSource(server=HOUSE))
            for channel in ("c1", "c2")
        ]
        one, other = await asyncio.gather(*map(d.workflow.handle, both))
    assert isinstance(one, Accepted)
    assert other == Note(Say.OUT_OF_QUOTA(limit=1, wait="24 h"), buttons=buttons(ButtonAction.MY_EDITS))
