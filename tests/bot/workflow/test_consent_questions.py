"""Questions to the owners of pictures: they outlive restarts, and are answered in words as well."""

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.chat.events import (
    Answer,
    BotQuestion,
    ConsentAnswered,
    EditAsked,
    ForgetAsked,
    GridAsked,
    Preset,
    VariationAsked,
)
from bot.chat.replies import Accepted, Note, Reacted
from bot.workflow.consents import OPEN_S
from bot.workflow.saved_work import restored_work, saved_work
from conversations.request_source import RequestSource
from conversations.settings import Grid, SettingsOverride
from conversations.variations import Variation
from tests.support.fakes import EchoEditor, ScriptedEditor, a_picture
from tests.support.workflow_room import PaperChat, WorkflowRoom, workflow_room

ANN, BOB = "paper:ann", "paper:bob"
HERE = RequestSource(channel="paper:c1")


async def bob_asks(d: WorkflowRoom, text: str = "make it red", **more: Any) -> Any:
    return await d.workflow.handle(
        d.asked(text, "bob", picture=a_picture(), picture_owner=ANN, source=HERE, **more)
    )


def question(d: WorkflowRoom) -> Note:
    return next(note for note in d.chat.notes.values() if note.buttons)


async def ann_says(d: WorkflowRoom, text: str, user: str = "ann", **more: Any) -> Any:
    return await d.workflow.handle(d.asked(text, user, **more))


async def test_a_question_outlives_a_restart_with_its_picture(tmp_path):
    chat = PaperChat()
    async with workflow_room(tmp_path, EchoEditor(), chat) as d:
        assert isinstance(await bob_asks(d), Reacted)
    async with workflow_room(tmp_path, EchoEditor(), chat) as d:
        asked = question(d)
        yes = ConsentAnswered(**d.origin(), request=asked.about, answer=Answer.ONCE)
        assert (await d.workflow.handle(yes)).text.code == "consent_once"
        await d.idle()
        assert [card.instruction for card in d.chat.shown if card.after] == ["make it red"]
        assert d.chat.deleted == [f"paper:c1:{asked.about}-asked"]
        assert (await d.workflow.handle(replace(yes, event_id="paper:again"))).text.code == "consent_over"


async def test_a_question_that_a_failure_kept_back_is_posted_at_the_next_start_once(tmp_path):
    chat = PaperChat()
    chat.breaks = 1
    async with workflow_room(tmp_path, EchoEditor(), chat) as d:
        await bob_asks(d)
        assert chat.notes == {}
    async with workflow_room(tmp_path, EchoEditor(), chat) as d:
        for _ in range(2):
            await d.workflow.resume("paper")
        assert [note.asks for note in chat.notes.values()] == [ANN]


async def test_the_same_message_read_again_asks_nobody_again(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        for _ in range(2):
            assert isinstance(await bob_asks(d, event_id="paper:same"), Reacted)
        assert len(d.chat.notes) == 1


async def test_an_owner_who_cannot_be_reached_is_no_open_question(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        d.chat.is_gone = True
        assert (await bob_asks(d)).text.code == "consent_unreachable"
        d.chat.is_gone = False
        assert isinstance(await bob_asks(d), Reacted)


async def test_an_answer_that_a_kill_cut_short_is_given_again(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await bob_asks(d, event_id="paper:1")
        asked = question(d)
        kept = await d.store.consent_questions.question(asked.about)
        assert kept is not None
        yes = ConsentAnswered(**d.origin(), request=asked.about, answer=Answer.ONCE)
        await d.workflow.handle(yes)
        await d.store.consent_questions.ask(replace(kept, message=None))
        await d.workflow.handle(replace(yes, event_id="paper:2"))
        await d.idle()
        assert len([card for card in d.chat.shown if card.after]) == 1
        assert await d.store.consent_questions.question(asked.about) is None


@pytest.mark.parametrize(
    ("said", "code"),
    [("yes!", "consent_once"), ("Ja, immer", "consent_always"), ("no, gracias", "consent_no")],
)
@pytest.mark.parametrize("is_reply", [True, False])
async def test_the_owner_answers_in_words(tmp_path, said, code, is_reply):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await bob_asks(d)
        about: dict[str, Any] = {"question": BotQuestion(question(d).about), "reply_to": "m9"}
        assert (await ann_says(d, said, **(about if is_reply else {}))).text.code == code
        await d.idle()
        assert bool([card for card in d.chat.shown if card.after]) is (code != "consent_no")


async def test_words_that_are_no_answer_are_none(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await bob_asks(d)
        about: dict[str, Any] = {"question": BotQuestion(question(d).about), "reply_to": "m9"}
        assert (await ann_says(d, "yes", "bob", **about)).text.code == "consent_not_yours"
        assert (await ann_says(d, "make it blue", **about)).text.code == "consent_how"
        assert isinstance(await ann_says(d, "lol", **about), Reacted)
        assert isinstance(await ann_says(d, "yes", channel="c2"), Reacted)
        assert await d.store.consent_questions.open_by(BOB) == 1


@pytest.mark.parametrize(
    ("question", "said", "comes_of_it"),
    [
        (BotQuestion(says="undo"), "yes", "back_at"),
        (BotQuestion(says="undo"), "nein", None),
        (BotQuestion(), "sí, claro", Accepted),
        (BotQuestion(), "no", None),
    ],
)
async def test_yes_and_no_answer_the_other_questions_too(tmp_path, question, said, comes_of_it):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.accepted("make it red", picture=a_picture())
        await d.idle()
        reply = await ann_says(d, said, question=question, kept_words="golden retriever")
        if comes_of_it is None:
            assert isinstance(reply, Reacted)
        elif comes_of_it is Accepted:
            assert reply.card.instruction == "golden retriever"
        else:
            assert reply.note.code == comes_of_it


@pytest.mark.parametrize(
    ("asked", "deleted"),
    [("paper:asked", "paper:asked"), ("paper:asked:reworded", "paper:asked"), ("paper:asked", "m1")],
)
async def test_a_deleted_request_or_picture_ends_the_question(tmp_path, asked, deleted):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await bob_asks(d, event_id=asked, message="m1")
        await d.workflow.message_deleted(deleted, deleted)
        assert await d.store.consent_questions.open_by(BOB) == 0
        assert list(d.images.keys()) == []
        assert d.chat.deleted == [f"paper:c1:{question(d).about}-asked"]


async def test_nobody_answers_so_the_question_and_its_picture_go(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await bob_asks(d)
        await d.workflow.delete_old_images()
        assert await d.store.consent_questions.open_by(BOB) == 1
        d.clock.now += OPEN_S + 1
        await d.workflow.delete_old_images()
        assert await d.store.consent_questions.open_by(BOB) == 0
        assert list(d.images.keys()) == []


@pytest.mark.parametrize("user", ["ann", "bob"])
async def test_an_erased_user_leaves_no_question(tmp_path, user):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await bob_asks(d)
        asked = question(d)
        erased = await d.workflow.handle(ForgetAsked(**d.origin(user), is_confirmed=True))
        assert erased.messages == (f"paper:c1:{asked.about}-asked",)
        assert list(d.images.keys()) == []
        for row in (await d.store.export_user(f"paper:{user}")).items():
            assert row[0] == "user" or not row[1]


async def test_a_draining_bot_keeps_the_question(tmp_path):
    async with workflow_room(tmp_path, ScriptedEditor()) as d:
        await bob_asks(d)
        await d.workflow.drain(0)
        said = await ann_says(d, "yes")
        assert said.text.code == "restarting"
        assert await d.store.consent_questions.open_by(BOB) == 1


WORK: dict[str, Any] = {
    "user": BOB,
    "channel": "paper:c1",
    "event_id": "paper:7",
    "source": RequestSource(language="de", server="paper:s", channel="paper:c1", token="t", file_limit=5),
    "is_moderator": True,
    "may_post": False,
    "is_counted": True,
}


@pytest.mark.parametrize(
    "work",
    [
        EditAsked(
            **WORK,
            text="mach es “rot”",
            turn="k3f9",
            override=SettingsOverride(text_cfg="auto", keep="off"),
            preset=Preset.BOLD,
            from_original=True,
            is_hidden=True,
        ),
        VariationAsked(**WORK, turn="k3f9", variation=Variation.CORRECTED, reading="A red ball."),
        GridAsked(**WORK, turn="k3f9", text="red", grid=Grid((6.0, 9.0), (1.2,))),
    ],
)
def test_work_that_waits_is_the_same_after_it_was_stored(work):
    assert restored_work(saved_work(work), None) == work


def test_work_that_an_earlier_release_stored_is_read():
    work = EditAsked(**WORK, text="red", turn="k3f9")
    earlier = {**json.loads(saved_work(work)), "starter": "m0"}
    assert restored_work(json.dumps(earlier), None) == work
