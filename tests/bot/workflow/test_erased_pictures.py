"""The file of an erased picture goes: also after a kill, in another's session, and when it comes too late."""

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest

from bot.chat.events import ConsentAsked, ForgetAsked
from bot.chat.moderation_events import ModAction, ModActionRequested
from bot.chat.offered_pictures import OfferedFile, OfferedPictures, offer_of
from bot.chat.replies import Accepted, Note
from conversations.errors import NoSuchVersion, StoreError
from conversations.request_source import RequestSource
from conversations.store.user_data import Consent
from tests.support.fakes import EchoEditor, ScriptedEditor, a_busy_picture, a_picture, echo
from tests.support.workflow_room import workflow_room

NOW = time.time()  # marks of erasures go after two days

SERVER = RequestSource(server="paper:s")


async def test_a_picture_that_a_kill_kept_from_being_deleted_goes_at_the_next_start(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.upload()
        await d.store.delete_user("paper:ann")  # and the process is killed
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.runner.erased.delete_pending()
        assert list(d.images.keys()) == []
        assert await d.store.pictures.to_delete() == ()


async def test_a_picture_that_comes_again_before_its_file_was_deleted_stays(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.upload()
        await d.store.delete_user("paper:ann")
        await d.upload("bob")
        await d.runner.erased.delete_pending()
        assert len(list(d.images.keys())) == 1
        assert await d.store.pictures.to_delete() == ()


async def test_a_result_that_comes_after_its_version_was_erased_is_not_kept(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        turn = (await d.accepted("make it red", picture=a_picture())).card.turn_id
        edit = await editor.started()
        await d.store.delete_turn(turn)  # without the cancellation that goes with it
        made = echo(edit.request)
        edit.finish(replace(made, image=a_picture(20)))
        await d.idle()
        assert len(list(d.images.keys())) == 1


async def test_a_lent_picture_goes_from_the_sessions_of_others_and_what_they_made_stays(tmp_path):
    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        await d.workflow.handle(ConsentAsked(**d.origin(), everybody=Consent.ALWAYS))
        lent: dict[str, Any] = {"picture": a_picture(), "picture_owner": "paper:ann", "message": "m1"}
        made = (await d.accepted("make it red", "bob", **lent)).card
        edit = await editor.started()
        edit.finish(replace(echo(edit.request), image=a_picture(20)))
        await d.idle()
        reply = await d.workflow.handle(ForgetAsked(**d.origin(), is_confirmed=True))
        assert reply.messages == (f"m-{made.turn_id}",)  # it shows the picture beside the result
        turn = await d.store.turn(made.turn_id)
        assert list(d.images.keys()) == [turn.image]
        assert made.parent is not None
        root = await d.store.turn(made.parent)
        assert (root.lent_by, root.origin_message) == (None, None)
        assert isinstance(await d.workflow.handle(d.asked("now blue", "bob")), Accepted)


async def test_a_block_is_saved_before_the_picture_is_erased(tmp_path, monkeypatch):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        made = (await d.accepted("make it red", picture=a_busy_picture(), source=SERVER)).card
        await d.idle()

        async def killed(_: Any) -> None:
            raise StoreError("the process ends here")

        monkeypatch.setattr(d.store.messages, "delete_later", killed)
        block = ModActionRequested(
            **d.origin("mod"),
            source=SERVER,
            is_moderator=True,
            action=ModAction.BLOCK_IMAGE,
            subject=made.turn_id,
        )
        await d.workflow.handle(block)
        assert len((await d.store.servers.settings("paper:s")).blocked_images) == 1
        assert (await d.store.turn(made.turn_id)).image is not None
        monkeypatch.undo()
        await d.workflow.handle(replace(block, event_id="paper:again"))
        assert len((await d.store.servers.settings("paper:s")).blocked_images) == 1
        with pytest.raises(NoSuchVersion):
            await d.store.turn(made.turn_id)


async def test_what_was_asked_before_its_user_erased_everything_is_dropped(tmp_path):
    """As a message that waited in the channel while the bot was away."""
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.workflow.handle(ForgetAsked(**d.origin() | {"asked_at": NOW}, is_confirmed=True))
        early = d.asked("make it red", picture=a_picture(), asked_at=NOW - 1)
        assert await d.workflow.handle(early) is None
        assert not (await d.store.export_user("paper:ann"))["turns"]
        late = d.asked("make it red", picture=a_picture(), asked_at=NOW + 1)
        assert isinstance(await d.workflow.handle(late), Accepted)


async def test_an_owner_who_erased_everything_is_not_asked_about_what_was_wanted_before(tmp_path):
    """As when they erase while the picture of an asker's message is still read."""
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.workflow.handle(ForgetAsked(**d.origin() | {"asked_at": NOW}, is_confirmed=True))
        lent: dict[str, Any] = {"picture": a_picture(), "picture_owner": "paper:ann"}
        reply = await d.workflow.handle(d.asked("make it red", "bob", **lent, asked_at=NOW - 1))
        assert isinstance(reply, Note)
        assert reply.text.code == "consent_unreachable"
        assert not d.chat.notes
        assert not (await d.store.export_user("paper:ann"))["consent_questions"]
        assert list(d.images.keys()) == []


async def test_an_erasure_while_a_picture_is_read_leaves_nothing_of_it(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        reading, go_on = asyncio.Event(), asyncio.Event()

        async def fetch() -> bytes:
            reading.set()
            await go_on.wait()
            return a_picture()

        offer = offer_of(OfferedPictures((OfferedFile(fetch),)))
        asking = asyncio.create_task(d.workflow.handle(d.asked("make it red", own=offer, asked_at=NOW - 1)))
        await reading.wait()
        erasing = ForgetAsked(**d.origin(channel="c2") | {"asked_at": NOW}, is_confirmed=True)
        await d.workflow.handle(erasing)
        go_on.set()
        assert await asking is None
        assert not (await d.store.export_user("paper:ann"))["sessions"]
        assert list(d.images.keys()) == []
