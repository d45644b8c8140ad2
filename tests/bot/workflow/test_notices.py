"""Notices: operators are told until they decide; a removal takes every copy of the picture, everywhere."""

from pathlib import Path

from bot.chat.operator_events import OperatorAct
from conversations.errors import PictureMissing
from conversations.request_source import RequestSource
from tests.bot.workflow.test_forgetting import rows
from tests.bot.workflow.test_operators import HOST, SERVERS, operator
from tests.support.fakes import EchoEditor, a_busy_picture
from tests.support.workflow_room import WorkflowRoom, workflow_room

HOUR_S = 3600.0


async def told(d: WorkflowRoom) -> int:
    """How many notes operators have got, after what is due was posted."""
    await d.workflow.operators.notices.remind()
    return len(d.chat.notes)


async def test_operators_are_told_of_a_notice_until_they_decide(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, EchoEditor(), host=HOST) as d:
        number = await d.workflow.operators.notices.receive("a link", None, "it shows me", "me@example.org")
        assert number == 1
        assert await told(d) == 1
        assert await told(d) == 1
        d.clock.now += 25 * HOUR_S
        assert await told(d) == 2
        d.clock.now += 24 * HOUR_S
        assert "overdue" in await operator(d, OperatorAct.NOTICES)
        assert await told(d) == 3
        said = await operator(d, OperatorAct.SETTLE, "1", outcome="kept")
        assert said == "No request to remove a picture waits for a decision."
        d.clock.now += 48 * HOUR_S
        assert await told(d) == 3
        assert "paper:olga  settle  1 kept" in await operator(d, OperatorAct.LOG)
        assert "no open request" in await operator(d, OperatorAct.SETTLE, "1", outcome="kept")


async def test_a_removal_takes_every_copy_in_all_servers_and_leaves_other_pictures(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, EchoEditor(), host=HOST) as d:
        made = []
        for place, server in enumerate((*SERVERS, None)):
            source = RequestSource(server=server)
            picture = d.asked("red", f"u{place}", f"c{place}", picture=a_busy_picture(), source=source)
            made.append((await d.workflow.handle(picture)).card.turn_id)
            await d.idle()
        other = await d.upload("ben", "c9")
        before = await d.done(*made)
        number = await d.workflow.operators.notices.receive(made[0], None, "it shows me", "")
        await operator(d, OperatorAct.SETTLE, str(number), outcome="removed")
        assert await d.store.images_in_use() & {turn.image for turn in before if turn.image} == set()
        for turn in before:
            try:
                d.images.get(turn.image or "")
                raise AssertionError("a copy is still there")
            except PictureMissing:
                pass
        assert d.images.get(other.root.image or "")
        assert rows(d)["deletions"] == len(made)
        refused = await d.workflow.handle(d.asked("red", "cem", "c1", picture=a_busy_picture()))
        assert refused.text.code == "image_blocked"


async def test_a_picture_that_was_sent_is_compared_and_not_kept(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, EchoEditor(), host=HOST) as d:
        await d.workflow.operators.notices.receive("", a_busy_picture(), "it is mine", "")
        (notice,) = await d.store.notices.open_notices()
        assert len(notice.image_hash) == 16
        assert list(d.images.keys()) == []
