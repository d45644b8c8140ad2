"""Operators decide for all servers: three servers, direct messages, one audit log."""

from pathlib import Path
from typing import Any

from bot.chat.moderation_events import ModAction, ModActionRequested
from bot.chat.offered_pictures import offered
from bot.chat.operator_events import OperatorAct, OperatorActRequested
from bot.chat.replies import Accepted, Note
from bot.policy.host_facts import HostFacts
from conversations.request_source import RequestSource
from tests.support.english import in_english
from tests.support.fakes import EchoEditor, ScriptedEditor, a_busy_picture
from tests.support.workflow_room import PaperChat, WorkflowRoom, workflow_room

SERVERS = ("paper:s1", "paper:s2", "paper:s3")
HOST = HostFacts(operators=("paper:olga",))


async def operator(
    d: WorkflowRoom, act: OperatorAct, subject: str = "", user: str = "olga", **more: Any
) -> str:
    """What a user is answered who asks for an act of operators."""
    asked = OperatorActRequested(**d.origin(user), act=act, subject=subject, **more)
    reply = await d.workflow.handle(asked)
    assert isinstance(reply, Note)
    await d.workflow.operators.work()
    return in_english(reply.text)


async def answers(d: WorkflowRoom, user: str = "ann") -> list[str]:
    """How an edit of the user is answered in the three servers and in a direct message."""
    said = []
    for place, server in enumerate((*SERVERS, None)):
        asked = d.asked(
            "red", user, f"c{place}", picture=a_busy_picture(), source=RequestSource(server=server)
        )
        reply = await d.workflow.handle(asked)
        d.clock.now += 60  # nobody is silenced for asking too often
        said.append(reply.note.code if isinstance(reply, Accepted) else reply.text.code)
        await d.idle()
    return said


async def test_a_decision_holds_in_every_server_until_it_is_taken_back(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, EchoEditor(), host=HOST) as d:
        for act, back, subject, refused in (
            (OperatorAct.PAUSE, OperatorAct.RESUME, "", "paused_everywhere"),
            (OperatorAct.BLOCK, OperatorAct.UNBLOCK, "paper:ann", "blocked_everywhere"),
        ):
            await operator(d, act, subject)
            assert await answers(d) == [refused] * 4
            await operator(d, back, subject)
            assert await answers(d) == ["queued"] * 4


async def test_the_log_of_three_servers_finds_who_barred_what(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, EchoEditor(), host=HOST) as d:
        session = await d.upload(source=RequestSource(server=SERVERS[1]))
        mod = {**d.origin("mod"), "source": RequestSource(server=SERVERS[1]), "is_moderator": True}
        await d.workflow.handle(ModActionRequested(**mod, action=ModAction.REMOVE, subject=session.root.id))
        source = RequestSource(server=SERVERS[0])
        version = (await d.accepted("red", "ben", picture=a_busy_picture(), source=source)).card.turn_id
        await d.idle()
        await operator(d, OperatorAct.BAR, version)
        await operator(d, OperatorAct.BLOCK, "paper:ann")
        assert "queued" not in await answers(d, "cem")
        barred = (await d.store.servers.settings(SERVERS[2])).blocked_images[0]
        by_version = await operator(d, OperatorAct.LOG, version)
        assert by_version == await operator(d, OperatorAct.LOG, barred)
        assert f"paper:olga  bar  {barred}  version {version}" in by_version
        assert f"paper:mod  remove  {session.root.id}" in await operator(d, OperatorAct.LOG, "paper:mod")
        assert f"in {SERVERS[1]}" in await operator(d, OperatorAct.LOG, session.root.id)
        assert "paper:olga  block  paper:ann" in await operator(d, OperatorAct.LOG, "paper:ann")
        assert len((await operator(d, OperatorAct.LOG)).splitlines()) == 3


async def test_others_are_refused_with_a_sentence_and_nothing_is_written(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, EchoEditor(), host=HOST) as d:
        for act in OperatorAct:
            assert "Only operators" in await operator(d, act, "paper:ben", user="mod")
        assert await d.store.servers.audit_log(None) == ()
        assert await answers(d, "ben") == ["queued"] * 4


async def test_a_picture_is_barred_as_it_is_given(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, EchoEditor(), host=HOST) as d:
        assert "Which picture?" in await operator(d, OperatorAct.BAR)
        await operator(d, OperatorAct.BAR, picture=offered(a_busy_picture()))
        assert "queued" not in await answers(d)
        await operator(d, OperatorAct.UNBAR, picture=offered(a_busy_picture()))
        assert await answers(d) == ["queued"] * 4
        assert "There is no nonsense here" in await operator(d, OperatorAct.BAR, "nonsense")


async def test_a_block_cancels_what_the_user_has_in_the_queue(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor, host=HOST) as d:
        running = await d.accepted("red", picture=a_busy_picture())
        edit = await editor.started()
        assert "names no user" in await operator(d, OperatorAct.BLOCK, "Ann B")
        await operator(d, OperatorAct.BLOCK, "paper:ann")
        assert edit.cancelled
        (turn,) = await d.done(running.card.turn_id)
        assert turn.is_lost


async def test_limits_change_at_once_and_are_shown(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, EchoEditor(), host=HOST) as d:
        assert "Shares: user_day 3" in await operator(d, OperatorAct.SHARES, "user_day", edits=3.0)
        assert await answers(d) == ["queued"] * 3 + ["share_used_up"]
        assert "Shares: none" in await operator(d, OperatorAct.SHARES, "user_day", edits=0.0)
        assert "no limit" in await operator(d, OperatorAct.SHARES, "nothing", edits=0.0)
        await operator(d, OperatorAct.SHARES, "user_day")
        assert "user_day as set in the environment" in await operator(d, OperatorAct.LOG)


async def test_an_announcement_is_posted_once_in_every_server_and_stands_in_info(tmp_path: Path) -> None:
    chat = PaperChat()
    chat.in_servers = SERVERS
    async with workflow_room(tmp_path, EchoEditor(), chat, host=HOST) as d:
        await operator(d, OperatorAct.ANNOUNCE, "down at ten")
        await d.workflow.operators.work()
    async with workflow_room(tmp_path, EchoEditor(), chat, host=HOST) as d:
        await d.workflow.operators.work()
        assert chat.announced == [(server, None, "down at ten") for server in SERVERS]
        assert (await d.store.servers.settings(None)).announcement == "down at ten"
        d.asked()  # so that the next event has another id than that of the first run
        await operator(d, OperatorAct.ANNOUNCE)
        assert (await d.store.servers.settings(None)).announcement == ""
        assert len(chat.announced) == 3


async def test_a_drain_stops_this_run_of_the_bot_and_not_the_next(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, EchoEditor(), host=HOST) as d:
        assert "then stops" in await operator(d, OperatorAct.DRAIN)
        assert d.workflow.operators.told_to_stop.is_set()
    async with workflow_room(tmp_path, EchoEditor(), host=HOST) as d:
        await d.workflow.operators.work()
        assert not d.workflow.operators.told_to_stop.is_set()
