"""Long lists and long instructions: what Discord can show, and how much more there is."""

from dataclasses import replace
from pathlib import Path

from conversations.store.session_store import SessionStore
from tests.bot.discord_chat.test_buttons import said
from tests.bot.discord_chat.test_conversation import post_picture
from tests.bot.discord_chat.test_moderation import decided
from tests.support.discord_room import LIMITS, is_result, room
from tests.support.discord_server.people import buttons_of, text_of
from tests.support.english import english
from tests.support.fakes import ScriptedEditor

MARKDOWN = ("make it red [z] (y) *w " * 100)[:1900]


async def block_many(store: SessionStore, server: str, count: int) -> None:
    users = tuple(f"discord:{10**18 + number}" for number in range(count))
    channels = tuple(f"discord:{2 * 10**18 + number}" for number in range(count))
    await store.servers.change(server, lambda now: replace(now, blocked=users, hidden=channels))


async def test_the_status_of_a_server_with_many_blocked_users_fits(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await block_many(r.store, f"discord:{r.discord.world.guild_id}", 90)
        status = await decided(r, "status")
        assert english("and_more", count=78) in status


async def test_a_history_of_long_instructions_shows_the_newest_and_counts_the_others(tmp_path: Path) -> None:
    async with room(tmp_path, limits=replace(LIMITS, instruction_chars=2000)) as r:
        asked = post_picture(r, MARKDOWN)
        assert is_result(await r.result(asked))
        for number in range(36):
            await r.result(r.discord.say(r.channel, r.anna, f"{number} {MARKDOWN}", mention=True))
        history = await said(r, r.discord.slash(r.channel, r.anna, "session history"))
        assert "v37" in history
        assert "more" in history.splitlines()[-1]


async def test_the_queue_fits_and_the_private_answer_can_cancel(tmp_path: Path) -> None:
    limits = replace(LIMITS, instruction_chars=2000, waiting_per_person=50)
    editor = ScriptedEditor()
    async with room(tmp_path, editor, limits=limits) as r:
        await r.result_of(editor, post_picture(r))
        for _ in range(8):
            edit = r.discord.slash(r.channel, r.anna, "edit", instruction=MARKDOWN)
            answer = await r.discord.wait_for(lambda edit=edit: edit.answer)  # type: ignore[misc]
        assert "more" in await said(r, r.discord.slash(r.channel, r.anna, "queue"))
        (cancel,) = buttons_of(answer)
        assert text_of(answer).startswith("Queued as")
        stopped = await said(r, r.discord.press(answer, cancel["label"], r.anna))
        assert stopped == english("stopped", version="v9")
