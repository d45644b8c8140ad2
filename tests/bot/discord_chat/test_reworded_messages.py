"""A message that is edited: the edit that it asked for follows."""

from pathlib import Path

from tests.bot.discord_chat.test_conversation import post_picture
from tests.support.discord_room import room
from tests.support.discord_server.people import text_of
from tests.support.fakes import ScriptedEditor, a_picture


async def test_an_edited_request_is_followed_while_it_waits(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        await r.result_of(editor, post_picture(r))
        r.discord.say(r.channel, r.ben, "busy", files={"b.png": a_picture()}, mention=True)
        busy = await editor.started()
        asked = r.discord.say(r.channel, r.anna, "make it red", mention=True)
        card = await r.answer(asked)
        r.discord.rewrite(asked, "make it blue")
        await r.discord.wait_for(lambda: "make it blue" in text_of(card))
        assert "-# (updated)" in text_of(card)
        busy.finish()
        (await editor.started()).finish()
        assert "make it blue" in text_of(await r.result(asked))


async def test_what_a_reworded_message_asks_for_follows_it_and_is_forgotten_with_it(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        await r.result_of(editor, post_picture(r))
        r.discord.say(r.channel, r.ben, "busy", files={"b.png": a_picture()}, mention=True)
        busy = await editor.started()
        asked = r.discord.say(r.channel, r.anna, "thanks", mention=True)
        r.discord.rewrite(asked, "make it red")
        card = await r.answer(asked)
        r.discord.rewrite(asked, "make it blue")
        await r.discord.wait_for(lambda: "make it blue" in text_of(card))
        r.discord.delete(asked)
        await r.discord.wait_for(lambda: card not in r.discord.messages_of_bot(r.channel))
        busy.finish()
        await r.turns_end()
        assert "make it blue" not in {turn.instruction for turn in await r.turns()}
