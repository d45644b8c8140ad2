"""Buttons: each works by its id alone, after a restart as well."""

from pathlib import Path

from bot.discord_chat.ui.buttons import base36
from tests.bot.discord_chat.test_conversation import post_picture
from tests.support.asking_editor import AskingEditor
from tests.support.discord_room import Room, loopback, results_in, room, turn_of
from tests.support.discord_server.interactions import MODAL, Interaction
from tests.support.discord_server.people import buttons_of, text_of
from tests.support.discord_server.world import Message
from tests.support.english import english
from tests.support.fakes import ScriptedEditor


async def said(r: Room, asked: Interaction) -> str:
    return text_of(await r.discord.wait_for(lambda: asked.answer))


async def next_result(r: Room, count: int) -> Message:
    found = await r.discord.wait_for(
        lambda: found if len(found := results_in(r.discord, r.channel)) >= count else None
    )
    return found[count - 1]


async def a_card(r: Room, mark: str) -> Message:
    """The first card in that state."""
    return await r.discord.wait_for(
        lambda: next((m for m in r.discord.messages_of_bot(r.channel) if f"### {mark}" in text_of(m)), None)
    )


async def test_refine_asks_for_words_and_goes_on_from_its_version(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        first = await r.result(post_picture(r))
        pressed = r.discord.press(first, "Refine", r.anna)
        await r.discord.wait_for(lambda: pressed.callback == MODAL)
        assert (pressed.modal or {})["title"] == "Refine v1"
        sent = r.discord.fill_in(pressed, words="now blue")
        assert (await said(r, sent)).startswith("Queued as v2.")
        assert "v2 · [from v1 ↗]" in text_of(await next_result(r, 2))


async def test_retry_makes_the_same_turn_again_with_another_seed(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        first = await r.result(post_picture(r))
        r.discord.press(first, "Retry", r.anna)
        second = await next_result(r, 2)
        assert "v2 · [from v0 ↗]" in text_of(second)
        seeds = {turn.settings.seed for turn in await r.turns() if turn.settings}
        assert len(seeds) == 2


async def test_undo_moves_back_and_says_so_privately(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        first = await r.result(post_picture(r))
        assert english("back_at", version="v0") in await said(r, r.discord.press(first, "Undo", r.anna))
        assert len(r.discord.messages_of_bot(r.channel)) == 1


async def test_a_waiting_edit_can_be_cancelled(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        post_picture(r, "red")
        running = await editor.started()
        post_picture(r, "blue")
        await a_card(r, "🎨")
        waiting = await a_card(r, "⏳")
        assert english("stopped", version="v1") in await said(r, r.discord.press(waiting, "Cancel", r.anna))
        running.finish()
        await r.turns_end()
        assert "**Instruction:** blue" in text_of(await a_card(r, "🚫"))
        assert len(editor.edits) == 1


async def test_a_running_edit_can_be_cancelled(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        post_picture(r)
        running = await editor.started()
        r.discord.press(await a_card(r, "🎨"), "Cancel", r.anna)
        assert [b["label"] for b in buttons_of(await a_card(r, "🚫"))] == ["Retry"]
        assert running.cancelled


async def test_others_may_not_cancel_but_moderators_may(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        post_picture(r)
        await editor.started()
        card = await a_card(r, "🎨")
        assert english("not_yours", version="v1") in await said(r, r.discord.press(card, "Cancel", r.ben))
        owner = r.discord.world.owner
        assert english("stopped", version="v1") in await said(r, r.discord.press(card, "Cancel", owner))


async def test_buttons_and_modals_made_before_a_restart_still_answer(tmp_path: Path) -> None:
    async with loopback() as discord:
        async with room(tmp_path, discord=discord) as r:
            first = await r.result(post_picture(r))
            await r.turns_end()
            opened = discord.press(first, "Refine", r.anna)
            await discord.wait_for(lambda: opened.modal)
        async with room(tmp_path, discord=discord) as r:
            assert (await said(r, discord.fill_in(opened, words="now blue"))).startswith("Queued as v2.")
            await next_result(r, 2)
            assert "v0" in await said(r, discord.press(first, "Undo", r.anna))


async def test_a_button_of_another_release_says_what_to_do(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        first = await r.result(post_picture(r))
        button = buttons_of(first)[1]
        button["custom_id"] = f"e0:explode:{turn_of(first)}"
        assert "another version of the bot" in await said(
            r, r.discord.press(first, button["custom_id"], r.anna)
        )


async def test_a_picture_that_was_deleted_is_said_to_be_gone(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        card = await r.result(post_picture(r))
        made = await r.store.turn(turn_of(card))
        r.images.delete(made.image or "")
        buttons_of(card)[0]["custom_id"] = f"e1:png:{made.id}:{base36(r.anna.id)}"
        pressed = r.discord.press(card, f"e1:png:{made.id}:{base36(r.anna.id)}", r.anna)
        assert "is no longer stored" in await said(r, pressed)


async def test_a_question_about_the_words_is_answered_by_a_button_after_a_restart_too(tmp_path: Path) -> None:
    async with loopback() as discord:
        async with room(tmp_path, AskingEditor(), discord) as r:
            post_picture(r, "maybe make it blue")
            question = await a_card(r, "💬")
            assert english("asks_unsure") in text_of(question)
            labels = [button["label"] for button in buttons_of(question)]
            assert labels == ["Do it", "The car turns blue.", "Say it differently"]
        async with room(tmp_path, AskingEditor(), discord) as r:
            pressed = r.discord.press(question, "Say it differently", r.anna)
            await r.discord.wait_for(lambda: pressed.callback == MODAL)
            assert (await said(r, r.discord.press(question, "Do it", r.anna))).startswith("Queued as v1.")
            assert "v1 · [from v0 ↗]" in text_of(await next_result(r, 1))


async def test_a_message_that_is_asked_about_is_read_again_when_its_author_rewords_it(tmp_path: Path) -> None:
    async with room(tmp_path, AskingEditor()) as r:
        asked = post_picture(r, "maybe make it blue")
        await a_card(r, "💬")
        r.discord.rewrite(asked, "make it green")
        assert "**Instruction:** make it green" in text_of(await r.result(asked))
        assert len({turn.session_id for turn in await r.turns()}) == 1


async def test_once_the_question_is_answered_its_message_can_change(tmp_path: Path) -> None:
    async with room(tmp_path, AskingEditor()) as r:
        asked = post_picture(r, "maybe make it blue")
        question = await a_card(r, "💬")
        await said(r, r.discord.press(question, "Do it", r.anna))
        await next_result(r, 1)
        r.discord.rewrite(asked, "make it green")
        await r.result(r.discord.say(r.channel, r.anna, "make it red", mention=True))
        assert "make it green" not in {turn.instruction for turn in await r.turns()}
