"""Other people's pictures: asked for, allowed once or always, refused; sessions locked and shared."""

from typing import Any

import pytest

from bot.chat.events import (
    Addressing,
    Answer,
    ButtonAction,
    ConsentAnswered,
    ConsentAsked,
    DeleteAsked,
    Event,
    ForgetAsked,
    LockAsked,
    Move,
    MoveAsked,
    VariationAsked,
)
from bot.chat.replies import Accepted, Erased, Note, ShownVersion
from bot.policy.limits import Limits
from bot.workflow.button_events import button_event
from bot.workflow.consents import OPEN_QUESTIONS, PAUSE_S
from conversations.messages import Message
from conversations.request_source import NO_SOURCE
from conversations.store.user_data import Consent
from conversations.turn import TurnState
from conversations.variations import Variation
from tests.support.english import in_english, title_of
from tests.support.fakes import EchoEditor, a_picture
from tests.support.workflow_room import WorkflowRoom, workflow_room

ANN, BOB = "paper:ann", "paper:bob"


async def asks_for_anns(d: WorkflowRoom, text: str = "make it red", user: str = "bob"):
    """Somebody takes up a picture that ann has posted."""
    return await asks(d, d.asked(text, user, picture=a_picture(), picture_owner=ANN))


async def asks(d: WorkflowRoom, event: Event) -> Any:
    """The question that the event leads to, if one was posted; else the reply."""
    before = len(d.chat.notes)
    reply = await d.workflow.handle(event)
    return list(d.chat.notes.values())[-1] if len(d.chat.notes) > before else reply


def told(d: WorkflowRoom, user: str) -> list[str]:
    """What a user was told without having asked."""
    notes = d.chat.notes.values()
    return [in_english(note.text) for note in notes if note.asks == user and not note.buttons]


async def answer(d: WorkflowRoom, question: Any, said: Answer, user: str = "ann"):
    return await d.workflow.handle(ConsentAnswered(**d.origin(user), request=question.about, answer=said))


async def lock(d: WorkflowRoom, is_locked: bool = True, user: str = "ann", **more):
    return await d.workflow.handle(LockAsked(**d.origin(user), is_locked=is_locked, **more))


async def test_the_owner_is_asked_before_anything_is_kept(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        question = await asks_for_anns(d)
        assert await d.store.turns_in(*TurnState) == ()
    assert isinstance(question, Note)
    assert in_english(question.text) == "<@paper:ann>, may <@paper:bob> edit your picture? “make it red”"
    assert [button.act for button in question.buttons] == ["allow_once", "allow_always", "refuse"]
    assert (question.private, question.asks) == (False, ANN)


async def test_ones_own_picture_needs_nobodys_consent(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        assert isinstance(await asks_for_anns(d, user="ann"), Accepted)


async def test_allowed_once_the_edit_goes_on_and_the_next_one_asks_again(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        said = await answer(d, await asks_for_anns(d), Answer.ONCE)
        assert in_english(said.text) == "Allowed once."
        await d.idle()
        assert [card.instruction for card in d.chat.shown if card.after] == ["make it red"]
        assert isinstance(await asks_for_anns(d), Note)


async def test_allowed_always_nobody_is_asked_again(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await answer(d, await asks_for_anns(d), Answer.ALWAYS)
        assert isinstance(await asks_for_anns(d), Accepted)


async def test_after_a_no_the_asker_hears_it_and_cannot_ask_for_a_while(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        said = await answer(d, await asks_for_anns(d), Answer.NO)
        assert in_english(said.text) == "Not allowed. This user cannot ask you again for 7 days."
        assert told(d, BOB) == [
            "<@paper:bob>, the owner of the picture does not allow this edit. You can ask again in 7 days.",
        ]
        refusal = await asks_for_anns(d, "make it blue")
        assert in_english(refusal.text) == (
            "The owner of the picture said no to you lately. You can ask again in 7 days."
        )
        assert (await asks_for_anns(d, user="cid")).asks == ANN
        await d.idle()
        assert d.chat.shown == []
        d.clock.now += PAUSE_S + 1
        assert (await asks_for_anns(d)).asks == ANN


async def test_only_the_owner_answers(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        question = await asks_for_anns(d)
        said = await answer(d, question, Answer.ALWAYS, "bob")
        assert in_english(said.text) == "Only the owner of the picture can answer that."
        assert await d.store.consent(ANN, BOB) is None
        assert in_english((await answer(d, question, Answer.ONCE)).text) == "Allowed once."


async def test_a_question_is_answered_once_and_not_after_a_day(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        question = await asks_for_anns(d)
        d.clock.now += 25 * 3600
        assert "has expired" in in_english((await answer(d, question, Answer.ONCE)).text)
        question = await asks_for_anns(d)
        await answer(d, question, Answer.ONCE)
        assert "has expired" in in_english((await answer(d, question, Answer.ONCE)).text)


async def test_what_cannot_go_on_is_reported_to_who_allowed_it_and_who_asked(tmp_path):
    async with workflow_room(tmp_path, EchoEditor(), limits=Limits(requests=1)) as d:
        question = await asks_for_anns(d)
        said = in_english((await answer(d, question, Answer.ONCE)).text)
        assert said.startswith("Allowed once. Too many requests")
        (news,) = told(d, BOB)
        assert news.startswith("<@paper:bob>, the owner of the picture allowed it")
        assert "Too many requests" in news


async def test_a_user_has_few_questions_open_at_a_time(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        for number in range(OPEN_QUESTIONS):
            owner = f"paper:owner {number}"
            await asks(d, d.asked("make it red", "bob", picture=a_picture(), picture_owner=owner))
        refusal = await asks_for_anns(d)
        assert refusal.text.code == "consent_too_many"
        assert len(d.chat.notes) == OPEN_QUESTIONS


async def test_an_owner_is_asked_by_a_user_once_at_a_time(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        first = await asks_for_anns(d)
        again = await asks_for_anns(d, "make it blue")
        assert (again.asks, again.private, again.text.code) == (None, True, "consent_waiting")
        await answer(d, first, Answer.ONCE)
        assert (await asks_for_anns(d, "make it blue")).asks == ANN


async def test_a_user_can_let_everybody_or_nobody(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.workflow.handle(ConsentAsked(**d.origin(), everybody=Consent.ALWAYS))
        assert isinstance(await asks_for_anns(d), Accepted)
        await d.workflow.handle(ConsentAsked(**d.origin(), everybody=Consent.NEVER))
        assert isinstance(await asks_for_anns(d), Note)
        await d.workflow.handle(ConsentAsked(**d.origin(), everybody=None))
        assert (await asks_for_anns(d)).buttons


async def test_who_lets_nobody_closes_their_sessions_too(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        session = await d.upload()
        await d.workflow.handle(ConsentAsked(**d.origin(), everybody=Consent.NEVER))
        reply = await d.workflow.handle(d.asked("make it red", "bob", turn=session.root.id))
    assert in_english(reply.text) == "The owner of this picture does not allow edits of it."


async def test_a_session_is_shared_until_it_is_locked(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        session = await d.upload()
        assert in_english((await lock(d)).text).startswith("This session is locked")
        question = await asks(d, d.asked("make it red", "bob", turn=session.root.id))
        assert question.asks == ANN
        await answer(d, question, Answer.ONCE)
        await lock(d, False)
        reply = await d.workflow.handle(d.asked("make it red", "bob", turn=session.root.id))
        assert isinstance(reply, Accepted)
        assert title_of(reply.card) == "v2 · from v0"


async def test_the_owner_goes_on_in_a_locked_session(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.upload()
        await lock(d)
        assert isinstance(await d.workflow.handle(d.asked("make it red")), Accepted)


async def test_who_lent_the_picture_does_not_open_a_session_that_its_owner_locked(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        lent = await asks_for_anns(d)
        await answer(d, lent, Answer.ONCE)
        session = await d.store.session_for_channel("paper:c1", BOB)
        await lock(d, user="bob", turn=session.root.id)
        of_lender = await asks(d, d.asked("make it blue", "carol", turn=session.root.id))
        assert of_lender.asks == ANN
        await d.workflow.handle(ConsentAnswered(**d.origin(), request=of_lender.about, answer=Answer.ONCE))
        of_owner = list(d.chat.notes.values())[-1]
        assert (of_owner.asks, (await d.store.session(session.id)).turns.keys() - session.turns.keys()) == (
            BOB,
            set(),
        )
        allowed = await answer(d, of_owner, Answer.ONCE, "bob")
        assert allowed.text.code == "consent_once"
        await d.idle()
        newest = list((await d.store.session(session.id)).turns.values())[-1]
        assert (newest.user, newest.instruction) == ("paper:carol", "make it blue")
        assert not told(d, "paper:carol")


async def test_a_lock_holds_for_buttons_too(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        first = await d.accepted("make it red", picture=a_picture())
        await d.idle()
        await lock(d, turn=first.card.turn_id)
        asked = VariationAsked(**d.origin("bob"), variation=Variation.AGAIN, turn=first.card.turn_id)
        assert (await asks(d, asked)).asks == ANN


async def test_only_who_brought_the_picture_locks(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        session = await d.upload()
        reply = await lock(d, user="bob", turn=session.root.id)
        assert in_english(reply.text) == "Only the user who uploaded the picture can do that."
        assert in_english((await lock(d, user="bob")).text).startswith("There is no picture here yet")


async def test_buttons_say_the_same_as_events(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        question = await asks_for_anns(d)
        press = button_event(ButtonAction.ALLOW_ALWAYS, question.about, **d.origin(), source=NO_SOURCE)
        assert isinstance(await d.workflow.handle(press), Note)
        assert await d.store.consent(ANN, BOB) is Consent.ALWAYS


async def test_only_the_owner_or_a_moderator_deletes_a_version(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        first = (await d.accepted("make it red", picture=a_picture())).card.turn_id
        await d.idle()
        said = await d.workflow.handle(DeleteAsked(**d.origin("bob"), turn=first))
        assert in_english(said.text).startswith("Only the user who requested v1")
        erased = await d.workflow.handle(DeleteAsked(**d.origin("bob"), turn=first, is_moderator=True))
        assert erased == Erased(Message("deleted", version="v1"), (f"m-{first}",))
        session = await d.store.session_for_channel("paper:c1", ANN)
    assert [turn.number for turn in session.turns.values()] == [0]


async def test_a_deleted_version_leaves_its_followers(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        first = (await d.accepted("make it red", picture=a_picture())).card.turn_id
        await d.accepted("now blue")
        await d.idle()
        await d.workflow.handle(DeleteAsked(**d.origin(), turn=first))
        shown = await d.workflow.handle(
            button_event(
                ButtonAction.GO_TO, (await d.store.turns_by(ANN))[0].id, **d.origin(), source=NO_SOURCE
            )
        )
    assert isinstance(shown, ShownVersion)
    assert title_of(shown.card) == "v2 · from v0"


async def test_an_edit_that_waits_for_consent_keeps_its_picture(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        anns = await d.upload(message="m1")
        await lock(d)
        await d.workflow.handle(MoveAsked(**d.origin("bob"), move=Move.GO_TO, turn=anns.root.id))
        question = await asks(d, d.asked("make it red", "bob"))
        await d.upload("bob")
        d.clock.now += 3600
        await answer(d, question, Answer.ONCE)
        await d.idle()
        made = next(card for card in d.chat.shown if card.instruction == "make it red")
    assert made.parent == anns.root.id


async def test_allowed_once_a_reply_to_the_same_message_asks_again(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        posted: dict[str, Any] = {
            "picture": a_picture(),
            "picture_owner": ANN,
            "message": "m1",
            "reply_to": "m1",
        }
        question = await asks(d, d.asked("make it red", "bob", **posted))
        await answer(d, question, Answer.ONCE)
        await d.idle()
        again = await asks(d, d.asked("make it blue", "bob", **posted))
        assert (again.asks, isinstance(again, Note)) == (ANN, True)
        await d.workflow.handle(ConsentAsked(**d.origin(), everybody=Consent.NEVER))
        refused = await d.workflow.handle(d.asked("make it green", "cid", **posted))
        assert in_english(refused.text) == "The owner of this picture does not allow edits of it."
        assert isinstance(await d.workflow.handle(d.asked("make it gold", "ann", **posted)), Accepted)


async def test_what_was_made_with_consent_can_be_gone_on_from_and_varied(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await answer(d, await asks_for_anns(d), Answer.ONCE)
        await d.idle()
        made = next(card for card in d.chat.shown if card.after)
        again = VariationAsked(**d.origin("bob"), variation=Variation.AGAIN, turn=made.turn_id)
        assert isinstance(await d.workflow.handle(again), Accepted)
        follow_up = d.asked("make it blue", "bob", turn=made.turn_id)
        assert isinstance(await d.workflow.handle(follow_up), Accepted)


@pytest.mark.parametrize("user", ["ann", "bob"])
async def test_a_question_of_or_to_an_erased_user_is_over(tmp_path, user):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        question = await asks_for_anns(d)
        await d.workflow.handle(ForgetAsked(**d.origin(user), is_confirmed=True))
        said = await answer(d, question, Answer.ONCE)
        assert said.text.code == "consent_over"
        await d.idle()
        assert d.chat.shown == []


async def test_words_are_read_once_however_the_owner_answers(tmp_path):
    """In a form beside a picture, "undo" is an instruction; with the owner's consent it still is."""
    async with workflow_room(tmp_path, EchoEditor()) as d:
        session = await d.upload()
        await d.workflow.handle(LockAsked(**d.origin(), is_locked=True))
        asked = d.asked(
            "undo",
            "bob",
            picture=a_picture(),
            picture_owner=ANN,
            turn=session.root.id,
            addressing=Addressing.FORM,
        )
        said = await answer(d, await asks(d, asked), Answer.ONCE)
        assert said.text.code == "consent_once"
        await d.idle()
        assert [card.instruction for card in d.chat.shown if card.after] == ["undo"]
