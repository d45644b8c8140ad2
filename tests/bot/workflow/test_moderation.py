"""What a decision of a moderator changes in the settings of a server."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.chat.events import ButtonAction
from bot.chat.moderation_events import ModAction, ModActionRequested
from bot.chat.replies import Accepted, Note, buttons
from bot.workflow.moderation import apply
from conversations.messages import Message
from conversations.request_source import RequestSource
from conversations.servers import DEFAULT_SERVER_SETTINGS, ServerSettings, with_one
from tests.support.fakes import EchoEditor, a_picture
from tests.support.workflow_room import workflow_room

SERVER, ANN, PLACE = "paper:1", "paper:ann", "paper:c1"


def rule(rule: ModAction, subject: str = "", **numbers: Any) -> ModActionRequested:
    return ModActionRequested(
        user="paper:mod", channel=PLACE, event_id="e", action=rule, subject=subject, **numbers
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


def test_a_group_holds_everybody_once() -> None:
    assert with_one(("a", "b"), "a", is_in=True) == ("b", "a")
    assert with_one(("a", "b"), "a", is_in=False) == ("b",)


async def test_two_edits_at_once_do_not_both_take_the_last_place_of_a_day(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.store.servers.change(SERVER, lambda rules: replace(rules, per_day=1))
        both = [
            d.asked("make it red", channel=channel, picture=a_picture(), source=RequestSource(server=SERVER))
            for channel in ("c1", "c2")
        ]
        replies = await asyncio.gather(*map(d.workflow.handle, both))
    other, one = sorted(replies, key=lambda reply: isinstance(reply, Accepted))
    assert isinstance(one, Accepted)
    assert other == Note(
        Message(
            "share_used_up",
            whose=Message("share.member"),
            most=1,
            window=Message("share_window.day"),
            wait=Message("hours", count=24),
        ),
        buttons=buttons(ButtonAction.MY_EDITS),
    )
