"""Where edits are made in a server, and how old an account must be."""

from dataclasses import replace
from pathlib import Path

from conversations.shares import DAY_S
from tests.bot.discord_chat.test_buttons import said
from tests.bot.discord_chat.test_conversation import post_picture
from tests.bot.discord_chat.test_moderation import decided
from tests.support.discord_room import LIMITS, Room, room
from tests.support.discord_server.people import text_of
from tests.support.english import english
from tests.support.fakes import a_picture


async def test_edits_in_some_channels_only(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        elsewhere = r.discord.world.add_channel("elsewhere")
        assert await decided(r, "channel", do="edits only here") == english("decided.only")
        await r.result(post_picture(r))
        asked = r.discord.say(elsewhere, r.anna, "red", files={"b.png": a_picture()}, mention=True)
        listed = english("other_channels", list=f"<#{r.channel.id}>")
        assert text_of(await r.answer(asked)) == listed
        by_command = r.discord.slash(elsewhere, r.anna, "edit", instruction="red", image=a_picture())
        assert await said(r, by_command) == listed
        assert f"<#{r.channel.id}>" in await decided(r, "status")
        await decided(r, "channel", elsewhere, do="edits on")
        await r.result(r.discord.say(elsewhere, r.anna, "red", files={"b.png": a_picture()}, mention=True))


async def test_edits_in_all_channels_again(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        elsewhere = r.discord.world.add_channel("elsewhere")
        await decided(r, "channel", elsewhere, do="edits only here")
        await decided(r, "channel", do="edits off")
        assert await decided(r, "channel", do="edits in all channels") == english("decided.everywhere")
        await r.result(post_picture(r))


async def is_refused(r: Room, refused: str) -> None:
    """An edit is refused with that sentence, by mention and by command."""
    asked = r.discord.say(r.channel, r.anna, "red", files={"b.png": a_picture()}, mention=True)
    assert text_of(await r.answer(asked)) == refused
    by_command = r.discord.slash(r.channel, r.anna, "edit", instruction="red", image=a_picture())
    assert await said(r, by_command) == refused


async def test_a_new_account_hears_when_it_may_edit(tmp_path: Path) -> None:
    async with room(tmp_path, limits=replace(LIMITS, least_account_s=7 * DAY_S)) as r:
        await is_refused(r, english("account_too_new", least="7 days", wait="7 days"))


async def test_a_new_member_hears_when_they_may_edit_there_and_edits_by_dm(tmp_path: Path) -> None:
    async with room(tmp_path, limits=replace(LIMITS, least_member_s=2 * DAY_S)) as r:
        await is_refused(r, english("membership_too_new", least="2 days", wait="2 days"))
        dm = r.discord.dm(r.anna)
        await r.result(r.discord.say(dm, r.anna, "red", files={"b.png": a_picture()}))
