"""The last instruction for another picture, and a text command with an instruction after it."""

from pathlib import Path

import pytest

from bot.chat.replies import Accepted, AskTarget, ShownVersion
from conversations.turn import Turn, TurnState
from tests.support.fakes import EchoEditor, a_picture
from tests.support.workflow_room import WorkflowRoom, workflow_room

OTHER = a_picture(colour="pink")


async def newest(d: WorkflowRoom) -> Turn:
    """The edit that was asked for last, once it is done."""
    await d.idle()
    turns = [turn for turn in await d.store.turns_in(*TurnState) if turn.instruction]
    return max(turns, key=lambda turn: (turn.created_at, turn.number))


async def root_image(d: WorkflowRoom, turn: Turn) -> str | None:
    return (await d.store.session(turn.session_id)).root.image


@pytest.mark.parametrize(
    "words",
    [
        "same for this one",
        "and this one too please",
        "do the same with this",
        "sorry, wrong pic, use this instead",
        "das auch bitte",
        "und das hier genauso",
        "ups, falsches Bild, nimm das hier",
        "esta también",
        "lo mismo con esta foto",
        "perdón, foto equivocada",
    ],
)
@pytest.mark.parametrize("is_replied", [False, True], ids=["with the picture", "in reply to it"])
async def test_the_last_instruction_is_taken_for_the_next_picture(
    tmp_path: Path, words: str, is_replied: bool
) -> None:
    async with workflow_room(tmp_path, EchoEditor()) as d:
        first = (await d.accepted("make it red", picture=a_picture())).card
        await d.idle()
        d.clock.now += 1
        more = {"picture_owner": "paper:ann"} if is_replied else {}
        again = (await d.accepted(words, picture=OTHER, **more)).card
        assert (again.instruction, again.version) == ("make it red", "v1")
        done = await d.done(first.turn_id, again.turn_id)
        assert await root_image(d, done[0]) != await root_image(d, done[1])


async def test_the_last_instruction_is_taken_for_a_picture_that_was_given_just_before(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.accepted("make it red", picture=a_picture())
        await d.idle()
        d.clock.now += 1
        await d.workflow.handle(d.asked("", picture=OTHER))
        again = (await d.accepted("same for this one")).card
        assert (again.instruction, again.version) == ("make it red", "v1")
        await d.idle()
        assert not isinstance(await d.workflow.handle(d.asked("same for this one")), Accepted)


async def test_without_an_earlier_instruction_it_is_asked_for(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, EchoEditor()) as d:
        reply = await d.workflow.handle(d.asked("this one too", picture=a_picture()))
        assert isinstance(reply, ShownVersion)
        assert "picture_ready" in str(reply.note)


async def test_the_instruction_of_another_user_is_not_repeated(tmp_path: Path) -> None:
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.accepted("make it red", picture=a_picture())
        await d.idle()
        reply = await d.workflow.handle(d.asked("this one too", "ben", picture=OTHER))
        assert isinstance(reply, ShownVersion)


@pytest.mark.parametrize(
    "words",
    [
        "oops, wrong picture",
        "no, the other photo",
        "ups, falsches Bild",
        "das andere Bild bitte",
        "no, la otra foto",
    ],
)
async def test_the_wrong_picture_is_not_painted_and_the_next_one_takes_the_words(
    tmp_path: Path, words: str
) -> None:
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.accepted("make it red", picture=a_picture())
        await d.idle()
        d.clock.now += 1
        question = await d.workflow.handle(d.asked(words))
        assert isinstance(question, AskTarget)
        assert question.words == "make it red"
        again = await d.workflow.handle(d.asked("this one", picture=OTHER))
        assert isinstance(again, Accepted)
        assert (again.card.instruction, again.card.version) == ("make it red", "v1")


@pytest.mark.parametrize(
    ("words", "parent", "instruction"),
    [
        ("undo that and make it blue", "v1", "make it blue"),
        ("thanks, but undo that and then make it blue", "v1", "make it blue"),
        ("undo the last two, make it blue", "v0", "make it blue"),
        ("undo the last nine and make it blue", "v0", "make it blue"),
        ("go back to the original and add a hat", "v0", "add a hat"),
        ("back to v1, make it darker", "v1", "make it darker"),
        ("the first one was better, add a hat to it", "v1", "add a hat to it"),
        ("mach das rückgängig und mach es blau", "v1", "mach es blau"),
        ("zurück zum Original und dann ein Hut drauf", "v0", "ein Hut drauf"),
        ("deshaz eso y ponlo azul", "v1", "ponlo azul"),
        ("vuelve al original y añade un sombrero", "v0", "añade un sombrero"),
    ],
)
@pytest.mark.parametrize("in_reply", [False, True], ids=["message", "reply"])
async def test_an_instruction_after_a_command_starts_where_the_command_leads(
    tmp_path: Path, words: str, parent: str, instruction: str, in_reply: bool
) -> None:
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.accepted("make it red", picture=a_picture())
        await d.idle()
        d.clock.now += 1
        second = await d.accepted("add a scarf")
        await d.idle()
        d.clock.now += 1
        more = {"turn": second.card.turn_id} if in_reply else {}
        card = (await d.accepted(words, **more)).card
        turn = await newest(d)
        session = await d.store.session(turn.session_id)
        assert card.instruction == turn.instruction == instruction
        assert session.turn(turn.parent_id or "").label == parent


@pytest.mark.parametrize(
    "words",
    [
        "do the same with the roof",
        "mach das auch bei dem Dach",
        "lo mismo con el tejado",
        "put the other picture on the wall",
        "keep the original colours but make it brighter",
        "make this one red too",
    ],
)
async def test_other_words_are_no_such_thing(tmp_path: Path, words: str) -> None:
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.accepted("make it red", picture=a_picture())
        await d.idle()
        reply = await d.workflow.handle(d.asked(words))
        assert not isinstance(reply, AskTarget)
        assert not isinstance(reply, Accepted) or reply.card.instruction == words
