"""What is kept of a person can be seen, taken home and erased; what is old goes by itself."""

import io
import json
import os
import zipfile

import pytest

from bot.chat.events import ButtonAction, DeleteAsked, ExportAsked, ForgetAsked, PrivacyAsked
from bot.chat.replies import Erased, Files, Note
from bot.policy.tidy_guard import FEW
from bot.workflow.button_events import button_event
from conversations.errors import NoSuchVersion, PictureMissing
from conversations.request_source import NO_SOURCE
from conversations.turn import TurnState
from tests.support.english import in_english, notes_of, title_of
from tests.support.fakes import EchoEditor, ScriptedEditor, a_picture
from tests.support.workflow_room import Clock, workflow_room

DAY_S = 24 * 3600


async def test_a_user_sees_how_much_is_kept_and_how_long(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.accepted("make it red", picture=a_picture())
        await d.idle()
        reply = await d.workflow.handle(PrivacyAsked(**d.origin()))
    assert "1 picture that you uploaded, 1 edit and" in in_english(reply.text)
    assert "30 days" in in_english(reply.text)


async def test_an_export_has_pictures_and_conversation(tmp_path):
    picture = a_picture()
    async with workflow_room(tmp_path, EchoEditor()) as d:
        session = (await d.accepted("make it red", picture=picture)).card
        assert session.before
        await d.idle()
        reply = await d.workflow.handle(ExportAsked(**d.origin()))
        stored = await d.workflow.pictures.file(session.before)
        assert isinstance(reply, Files)
        zipped = b"".join([piece async for piece in reply.zips])
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        [talk] = [name for name in archive.namelist() if name.endswith("conversation.json")]
        assert json.loads(archive.read(talk))[0]["messages"][0] == ["USER", "<image>\nmake it red"]
        assert archive.read(talk.replace("conversation.json", "v0.png")) == stored
        assert json.loads(archive.read("person.json"))["user"] == "paper:ann"


async def test_who_has_nothing_here_gets_a_sentence(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        for event in (ExportAsked(**d.origin()), ForgetAsked(**d.origin(), is_confirmed=True)):
            assert in_english((await d.workflow.handle(event)).text) == "I have no data about you."


async def test_words_that_wait_for_a_picture_are_exported_and_erased_too(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.workflow.handle(d.asked("make it red"))
        reply = await d.workflow.handle(ExportAsked(**d.origin()))
        assert isinstance(reply, Files)
        zipped = b"".join([piece async for piece in reply.zips])
        with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
            [question] = json.loads(archive.read("person.json"))["open_questions"]
        assert question["words"] == "make it red"
        await d.workflow.handle(ForgetAsked(**d.origin(), is_confirmed=True))
        assert await d.store.users.open_words("paper:ann", "paper:c1", since=0.0) is None


async def test_nothing_is_erased_before_it_is_confirmed(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.upload()
        reply = await d.workflow.handle(ForgetAsked(**d.origin()))
        assert isinstance(reply, Note)
        assert [button.act for button in reply.buttons] == [ButtonAction.FORGET_ME]
        assert await d.store.session_for_channel("paper:c1", "paper:ann") is not None


async def test_erasing_takes_rows_pictures_and_what_runs(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        done = (await d.accepted("make it red", picture=a_picture())).card.turn_id
        (await editor.started()).finish()
        await d.idle()
        await d.accepted("now blue")
        running = await editor.started()
        await d.accepted("and green")
        reply = await d.workflow.handle(
            button_event(ButtonAction.FORGET_ME, "", **d.origin(), source=NO_SOURCE)
        )
        await d.idle()
        assert running.cancelled
        assert isinstance(reply, Erased)
        assert reply.messages == (f"m-{done}",)
        assert list(d.images.keys()) == []
        assert (await d.store.export_user("paper:ann"))["turns"] == []
        with pytest.raises(NoSuchVersion):
            await d.store.turn(done)
        await d.upload()  # and one may begin again


async def test_old_pictures_go_and_the_conversation_stays(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        first = (await d.accepted("make it red", picture=a_picture())).card
        await d.idle()
        d.clock.now += 29 * DAY_S
        assert await d.workflow.delete_old_images() == 0
        d.clock.now += 2 * DAY_S
        assert await d.workflow.delete_old_images() == 1  # the echo is the same picture
        assert first.before
        with pytest.raises(PictureMissing):
            await d.workflow.pictures.file(first.before)
        again = await d.accepted("make it red", turn=first.turn_id)
        [turn] = await d.done(again.card.turn_id)
    assert (turn.state, in_english(turn.error)) == (
        TurnState.FAILED,
        "The picture of v1 was deleted, so this edit cannot run. Please attach it again.",
    )


async def test_a_clock_set_ahead_for_one_tidy_deletes_nothing(tmp_path, caplog):
    uptime = Clock()
    async with workflow_room(tmp_path, EchoEditor(), uptime=uptime) as d:
        await d.upload()
        assert await d.workflow.delete_old_images() == 0
        d.clock.now += 31 * DAY_S
        assert await d.workflow.delete_old_images() == 0
        assert "1 of 1 pictures look old and are not deleted: the clock jumped by +2678400 s" in caplog.text
        d.clock.now -= 31 * DAY_S
        uptime.now += 2 * DAY_S
        d.clock.now += 2 * DAY_S
        assert await d.workflow.delete_old_images() == 0
        assert len(list(d.images.keys())) == 1


async def test_a_bot_started_with_a_clock_ahead_keeps_most_pictures_for_a_day(tmp_path, caplog):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        for number in range(FEW + 1):
            await d.workflow.handle(d.asked(picture=a_picture(12 + number), user=f"user{number}"))
        d.clock.now += 31 * DAY_S
        assert await d.workflow.delete_old_images() == 0
        assert "that is most of them" in caplog.text
        d.clock.now += DAY_S
        assert await d.workflow.delete_old_images() == FEW + 1


async def test_pictures_of_no_version_go_after_a_day_and_those_of_an_earlier_run_at_once(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.upload()
        for name, made_s in (("of a killed run", -3600), ("old", 3600), ("young", 2 * DAY_S)):
            key = d.images.put(name.encode())
            os.utime(d.images.path(key), times=(d.clock.now + made_s,) * 2)
        left = []
        for later_s in (0, 2 * DAY_S):
            d.clock.now += later_s
            await d.workflow.delete_old_images()  # as the hourly cleaning does, which may come first
            left.append(len(list(d.images.keys())))
        assert left == [3, 2]


async def test_a_deleted_request_is_erased_with_what_it_started(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.upload()
        asked = d.asked("make it red")
        first = (await d.workflow.handle(asked)).card.turn_id
        running = await editor.started()
        assert await d.workflow.message_deleted(asked.event_id) == ()
        await d.idle()
        assert running.cancelled
        assert d.chat.finals(first) == []
        with pytest.raises(NoSuchVersion):
            await d.store.turn(first)


async def test_what_waited_for_a_deleted_request_starts_from_the_version_before(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.upload()
        asked = d.asked("make it red")
        await d.workflow.handle(asked)
        await editor.started()
        second = await d.accepted("now blue")
        await d.workflow.message_deleted(asked.event_id)
        (await editor.started()).finish()
        await d.idle()
    assert title_of(d.chat.finals(second.card.turn_id)[0]) == "v2 · from v0"


async def test_a_deleted_message_takes_its_picture_along(tmp_path):
    async with workflow_room(tmp_path, ScriptedEditor()) as d:
        session = await d.upload(message="paper:post")
        await d.workflow.message_deleted("paper:m:1", "paper:post")
        assert session.root.image
        with pytest.raises(PictureMissing):
            await d.workflow.pictures.file(session.root.image)


async def test_an_edited_request_changes_what_waits_and_says_so(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.accepted("first", "bob", picture=a_picture())
        running = await editor.started()
        asked = d.asked("make it red", picture=a_picture())
        waiting = (await d.workflow.handle(asked)).card.turn_id
        assert await d.workflow.message_edited(asked.event_id, " make it blue ")
        await d.chat.saw(lambda card: card.turn_id == waiting and card.instruction == "make it blue")
        assert "(updated)" in notes_of(d.chat.shown[-1])
        running.finish()
        assert (await editor.started()).request.instruction == "make it blue"


async def test_an_edited_request_that_runs_or_says_nothing_stays(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        asked = d.asked("make it red", picture=a_picture())
        waiting = d.asked("now blue", "bob", picture=a_picture())
        for event in (asked, waiting):
            await d.workflow.handle(event)
        await editor.started()
        assert not await d.workflow.message_edited(asked.event_id, "make it blue")
        for text in ("", "undo", "now blue", "x" * 500):
            assert not await d.workflow.message_edited(waiting.event_id, text)
        assert not await d.workflow.message_edited("paper:unknown", "make it blue")


async def test_a_deleted_upload_stays_deleted_when_the_same_picture_comes_again(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        first, second = [await d.upload(channel=channel, message=channel) for channel in ("c1", "c2")]
        for session, channel in ((first, "c1"), (second, "c2")):
            await d.workflow.handle(DeleteAsked(**d.origin(channel=channel), turn=session.root.id))
        assert list(d.images.keys()) == []
        await d.upload(channel="c3")
        gone = (await d.store.turn(first.root.id)).image
        assert gone
        with pytest.raises(PictureMissing):
            await d.workflow.pictures.file(gone)


async def test_a_bot_that_restarts_every_day_still_deletes_old_pictures(tmp_path):
    clock = Clock()
    async with workflow_room(tmp_path, EchoEditor(), clock=clock) as d:
        for n in range(FEW + 1):
            await d.workflow.handle(d.asked("", channel=f"c{n}", picture=a_picture(12 + n)))
        stored = len(list(d.images.keys()))
    clock.now += 31 * DAY_S
    left = []
    for _ in range(3):
        async with workflow_room(tmp_path, EchoEditor(), clock=clock) as d:
            await d.workflow.delete_old_images()
            left.append(len(list(d.images.keys())))
            clock.now += DAY_S / 2
    assert left == [stored, stored, 0]
