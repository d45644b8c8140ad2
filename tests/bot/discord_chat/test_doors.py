"""Every way to ask for an edit meets the same rules."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.policy.limits import Limits
from bot.workflow.text_commands import THANKED
from tests.bot.discord_chat.test_buttons import next_result, said
from tests.bot.discord_chat.test_conversation import post_picture
from tests.bot.discord_chat.test_moderation import decided, is_hidden
from tests.support.discord_gestures import opened
from tests.support.discord_room import Room, room
from tests.support.discord_server.interactions import modal_inputs
from tests.support.discord_server.people import SpoilerFile, text_of
from tests.support.discord_server.world import Message
from tests.support.english import english
from tests.support.fakes import ScriptedEditor, a_picture

Way = Callable[[Room, Message, str], Awaitable[str]]
LIMITS = Limits(requests=1000, instruction_chars=450)


async def mention(r: Room, first: Message, words: str) -> str:
    return text_of(await r.answer(r.discord.say(r.channel, r.anna, words, mention=True)))


async def reply(r: Room, first: Message, words: str) -> str:
    return text_of(await r.answer(r.discord.say(r.channel, r.anna, words, reply_to=first)))


async def plain_message(r: Room, first: Message, words: str) -> str:
    return text_of(await r.answer(r.discord.say(r.channel, r.anna, words)))


async def message_menu(r: Room, first: Message, words: str) -> str:
    own = r.discord.say(r.channel, r.anna, "// look", files={"a.png": a_picture()})
    form = await opened(r, r.discord.menu(own, r.anna, "Edit this image"))
    return await said(r, r.discord.fill_in(form, words=words))


async def refine_form(r: Room, first: Message, words: str) -> str:
    form = await opened(r, r.discord.press(first, "Refine", r.anna))
    return await said(r, r.discord.fill_in(form, words=words))


async def slash_edit(r: Room, first: Message, words: str) -> str:
    return await said(r, r.discord.slash(r.channel, r.anna, "edit", instruction=words))


async def slash_grid(r: Room, first: Message, words: str) -> str:
    return await said(r, r.discord.slash(r.channel, r.anna, "grid", instruction=words))


async def button(r: Room, first: Message, words: str) -> str:
    return await said(r, r.discord.press(first, "Retry", r.anna))


WITH_WORDS = (mention, reply, plain_message, message_menu, refine_form, slash_edit, slash_grid)


@pytest.mark.parametrize(
    ("decision", "refusal"), [("pause", "paused"), ("channel", "channel_closed"), ("block", "blocked")]
)
async def test_what_moderators_decide_holds_at_every_door(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decision: str, refusal: str
) -> None:
    monkeypatch.setattr("bot.policy.strikes.STRIKES", 100)  # more than there are doors
    async with room(tmp_path, reads_all=True) as r:
        first = await r.result(post_picture(r))
        await r.turns_end()
        options: dict[str, dict[str, Any]] = {"channel": {"do": "edits off"}, "block": {"user": r.anna}}
        await decided(r, decision, **options.get(decision, {}))
        for door in (*WITH_WORDS, button):
            assert await door(r, first, "make it darker") == english(refusal), door.__name__


async def test_the_longest_instruction_is_one_number_at_every_door(tmp_path: Path) -> None:
    async with room(tmp_path, reads_all=True, limits=LIMITS) as r:
        first = await r.result(post_picture(r))
        await r.turns_end()
        fits, long = "make it darker ".ljust(450, "x"), "make it darker ".ljust(451, "x")
        for door in (mention, reply, plain_message, slash_edit, slash_grid):
            assert await door(r, first, long) == english("too_long", count=451, limit=450), door.__name__
        form = await opened(r, r.discord.press(first, "Refine", r.anna))
        assert modal_inputs(form.modal or {})[0]["max_length"] == 450
        assert "Queued as" in await slash_edit(r, first, fits)


async def test_laughter_and_thanks_are_no_instruction_at_any_door(tmp_path: Path) -> None:
    async with room(tmp_path, reads_all=True) as r:
        first = await r.result(post_picture(r))
        await r.turns_end()
        for door in (refine_form, slash_edit, slash_grid):
            for words in ("haha 😂", "thanks!"):
                assert await door(r, first, words) == english("no_instruction"), door.__name__
        thanked = [
            r.discord.say(r.channel, r.anna, "thanks!", mention=True),
            r.discord.say(r.channel, r.anna, "nice, thank you", reply_to=first),
        ]
        await r.discord.wait_for(lambda: all(THANKED in message.reactions for message in thanked))
        assert english("picture_ready", version="v0") in await message_menu(r, first, "😂")
        assert len(await r.turns()) == 3  # the first image with its edit, and the image of the menu


@pytest.mark.parametrize("door", [mention, reply, refine_form, slash_edit])
async def test_a_command_and_a_question_are_taken_at_every_door(tmp_path: Path, door: Way) -> None:
    async with room(tmp_path, reads_all=True) as r:
        first = await r.result(post_picture(r))
        await r.turns_end()
        assert english("back_at", version="v0") in await door(r, first, "can you undo that? <:nice:123> 🙏")
        assert "Text commands" in await door(r, first, "what can you do?")
        assert len(await r.turns()) == 2


async def test_what_may_be_a_command_is_asked_about_and_a_button_answers(tmp_path: Path) -> None:
    async with room(tmp_path, reads_all=True) as r:
        first = await r.result(post_picture(r))
        await r.turns_end()
        words = "I want to undo something here"
        said_by = r.discord.say(r.channel, r.anna, words, reply_to=first)
        question = await r.answer(said_by)
        meant = english("did_you_mean", command=english("means.undo"), words="undo")
        assert meant in text_of(question)
        assert len(await r.turns()) == 2
        answer = await said(r, r.discord.press(question, english("means.undo"), r.anna))
        assert english("back_at", version="v0") in answer
        assert "Queued as" in await said(r, r.discord.press(question, english("button.say"), r.anna))
        await r.turns_end()
        assert (await r.turns())[-1].instruction == words


async def test_who_may_only_read_a_channel_makes_no_edits_there(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        first = await r.result(post_picture(r))
        await r.turns_end()
        r.anna.is_muted = True
        for door in (refine_form, slash_edit, slash_grid, button):
            assert await door(r, first, "make it darker") == english("user_may_not_post"), door.__name__
        assert await said(r, r.discord.press(first, "Undo", r.anna)) != english("user_may_not_post")


@pytest.mark.parametrize("door", ["mention", "reply to an image", "menu", "slash", "form"])
async def test_an_image_behind_a_spoiler_stays_behind_one(tmp_path: Path, door: str) -> None:
    async with room(tmp_path) as r:
        files = {"SPOILER_ball.png": a_picture()}
        if door == "mention":
            result = await r.result(r.discord.say(r.channel, r.anna, "red", files=files, mention=True))
        elif door == "reply to an image":
            own = r.discord.say(r.channel, r.anna, "look", files=files)
            result = await r.result(r.discord.say(r.channel, r.anna, "red", reply_to=own, mention=True))
        elif door == "menu":
            own = r.discord.say(r.channel, r.anna, "look", files=files)
            r.discord.fill_in(await opened(r, r.discord.menu(own, r.anna, "Edit this image")), words="red")
            result = await next_result(r, 1)
        elif door == "slash":
            r.discord.slash(r.channel, r.anna, "edit", instruction="red", image=SpoilerFile(a_picture()))
            result = await next_result(r, 1)
        else:
            first = await r.result(post_picture(r))
            form = await opened(r, r.discord.press(first, "Refine", r.anna))
            r.discord.fill_in(form, words="red", photo=SpoilerFile(a_picture(colour="black")))
            result = await next_result(r, 2)
        assert is_hidden(result)


async def test_a_moderator_stops_an_edit_by_word_as_by_button(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        asked = post_picture(r)
        await editor.started()
        card = await r.answer(asked)
        answer = await r.answer(r.discord.say(r.channel, r.ben, "stop", reply_to=card))
        assert text_of(answer) == english("not_yours", version="v1")
        answer = await r.answer(r.discord.say(r.channel, r.discord.world.owner, "stop", reply_to=card))
        assert text_of(answer) == english("stopped", version="v1")
