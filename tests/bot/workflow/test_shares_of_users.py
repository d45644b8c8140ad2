"""Shares, as users meet them: over servers and direct messages, by cost, and not given back by deleting."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.chat.events import DeleteAsked, GridAsked, QueueAsked
from bot.chat.replies import Accepted
from conversations.messages import Message, joined
from conversations.request_source import RequestSource
from conversations.settings import Grid, SettingsOverride
from conversations.shares import ShareRules
from tests.support.fakes import EchoEditor, a_picture
from tests.support.workflow_room import NO_PACE, WorkflowRoom, workflow_room


def limited(**limits: Any) -> dict[str, Any]:
    return {"limits": replace(NO_PACE, shares=ShareRules(**limits))}


async def code_of(d: WorkflowRoom, text: str = "red", **more: Any) -> str:
    """The message that answers an edit of a fresh picture."""
    reply = await d.workflow.handle(d.asked(text, picture=a_picture(), **more))
    await d.idle()
    return reply.note.code if isinstance(reply, Accepted) else reply.text.code


async def test_a_share_is_one_over_servers_and_direct_messages(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, EchoEditor(), **limited(user_day=2)) as d:
        places = [RequestSource(server="paper:s1"), RequestSource(server="paper:s2"), RequestSource()]
        said = [await code_of(d, channel=f"c{n}", source=source) for n, source in enumerate(places)]
        assert said == ["queued", "queued", "share_used_up"]
        assert await code_of(d, user="ben") == "queued"
        d.clock.now += 24 * 3600
        assert await code_of(d) == "queued"


async def test_deleting_gives_nothing_back(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, EchoEditor(), **limited(user_day=1)) as d:
        accepted = await d.accepted("red", picture=a_picture())
        await d.idle()
        await d.workflow.handle(DeleteAsked(**d.origin(), turn=accepted.card.turn_id))
        assert await code_of(d) == "share_used_up"
        await d.store.delete_user("paper:ann")
        assert await code_of(d) == "share_used_up"


async def test_steps_and_grids_count_by_their_cost(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, EchoEditor(), **limited(user_day=10)) as d:
        session = await d.upload()
        nine = Grid((2, 4, 7), (1.2, 1.5, 2))
        asked = GridAsked(**d.origin(), turn=session.root.id, text="red", grid=nine)
        assert isinstance(await d.workflow.handle(asked), Accepted)
        await d.idle()
        twice: dict[str, Any] = {"override": SettingsOverride(steps=8)}  # of a model with 4 of its own
        assert await code_of(d, **twice) == "share_too_little"
        assert await code_of(d, override=SettingsOverride(steps=80)) == "share_too_large"
        assert await code_of(d) == "queued"


async def test_a_role_has_more_and_an_hour_has_less(tmp_path: Path) -> None:
    rules = limited(user_hour=2, user_day=1, roles={"paper:helper": 5})
    async with workflow_room(tmp_path, EchoEditor(), **rules) as d:
        helper: dict[str, Any] = {"roles": ("paper:helper",)}
        assert [await code_of(d, **helper) for _ in range(3)] == ["queued", "queued", "share_used_up"]
        d.clock.now += 3600
        assert await code_of(d, **helper) == "queued"
        assert await code_of(d) == "share_used_up"


async def test_the_queue_says_what_is_left(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, EchoEditor(), **limited(user_day=3, all_day=100)) as d:
        await code_of(d)
        told = (await d.workflow.handle(QueueAsked(**d.origin()))).text
    left: dict[str, Any] = {
        "whose": Message("share.user"),
        "left": 2,
        "most": 3,
        "window": Message("share_window.day"),
    }
    line = joined(" ", Message("share_left", **left), Message("share_more", wait=Message("hours", count=24)))
    assert repr(line) in repr(told)
