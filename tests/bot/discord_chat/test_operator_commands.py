"""/operator on Discord: who may use it, and what it does in three servers."""

import asyncio
import math
from functools import partial
from pathlib import Path

import pytest

from bot.discord_chat.membership import Membership
from bot.policy.host_facts import HostFacts
from tests.bot.discord_chat.test_buttons import said
from tests.bot.discord_chat.test_conversation import post_picture
from tests.support.discord_room import Room, loopback, room
from tests.support.discord_server import DiscordServer, shapes
from tests.support.discord_server.guild_shapes import guild
from tests.support.discord_server.people import RefusedByDiscord, text_of
from tests.support.discord_server.world import Channel, Message, Person
from tests.support.english import english
from tests.support.fakes import a_busy_picture


def operators(*people: Person) -> HostFacts:
    return HostFacts(operators=tuple(f"discord:{person.id}" for person in people))


async def operator(r: Room, who: Person, command: str, **options: object) -> str:
    """What a user is answered who uses the command in a DM with the bot."""
    return await said(r, r.discord.slash(r.discord.dm(who), who, f"operator {command}", **options))


async def join(r: Room, name: str) -> Channel:
    """The bot joins one more server; its channel for news."""
    joined = asyncio.create_task(r.bot.wait_for("guild_join", timeout=30))
    await asyncio.sleep(0)  # now it listens
    news = r.discord.world.add_channel(name)
    shape = {**guild(r.discord.world), "id": str(r.discord.world.ids.next()), "name": name}
    channel = {**shapes.channel(r.discord.world, news), "guild_id": shape["id"]}
    shape |= {"channels": [channel], "system_channel_id": str(news.id)}
    del shape["unavailable"]  # as for a server that is new
    r.discord.gateway.dispatch("GUILD_CREATE", shape)
    await joined
    return news


async def test_operators_decide_in_a_dm_and_others_are_told_why_they_cannot(tmp_path: Path) -> None:
    async with loopback() as discord:
        olga = discord.world.owner
        async with room(tmp_path, discord=discord, host=operators(olga)) as r:
            assert await operator(r, r.ben, "pause") == english("not_an_operator")
            assert "New edits: paused" in await operator(r, olga, "pause")
            assert text_of(await r.answer(post_picture(r))) == english("paused_everywhere")
            assert "New edits: accepted" in await operator(r, olga, "resume")
            await operator(r, olga, "block", user=f"<@{r.ben.id}>")
            assert f"Blocked users: discord:{r.ben.id}" in await operator(r, olga, "status")
            await operator(r, olga, "bar", picture=a_busy_picture())
            files = {"b.png": a_busy_picture()}
            barred = await r.answer(discord.say(r.channel, r.anna, "red", files=files, mention=True))
            assert text_of(barred).startswith(english("image_blocked"))
            log = await operator(r, olga, "log", about=str(r.ben.id))
            assert log.endswith(f"discord:{olga.id}  block  discord:{r.ben.id}")
            assert "Shares: user_day 5" in await operator(r, olga, "shares", limit="user_day", edits=5.0)


async def test_a_bot_without_operators_has_no_such_command(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        with pytest.raises(RefusedByDiscord, match="not registered"):
            await operator(r, r.ben, "status")


def announced(discord: DiscordServer, place: Channel) -> list[Message]:
    return [one for one in discord.messages_of_bot(place) if "Down at" in text_of(one)]


async def test_an_announcement_is_posted_in_three_servers_and_stands_in_info(tmp_path: Path) -> None:
    async with loopback() as discord:
        olga = discord.world.owner
        async with room(tmp_path, discord=discord, host=operators(olga)) as r:
            reports = discord.world.add_channel("moderators")
            await said(r, discord.slash(reports, olga, "admin reports"))
            places = [reports, *[await join(r, name) for name in ("second", "third")]]
            assert "every server" in await operator(r, olga, "announce", text="Down at *ten* @everyone")
            for place in places:
                message = (await discord.wait_for(partial(announced, discord, place)))[0]
                assert not message.pings
            assert "Down at" in await said(r, discord.slash(r.channel, r.ben, "info"))
            await operator(r, olga, "announce")
            assert "Down at" not in await said(r, discord.slash(r.channel, r.ben, "info"))


async def test_operators_get_notices_by_dm_and_settle_them(tmp_path: Path) -> None:
    async with loopback() as discord:
        olga = discord.world.owner
        async with room(tmp_path, discord=discord, host=operators(olga)) as r:
            result = await r.result(post_picture(r))
            link = f"https://discord.com/channels/1/{result.channel.id}/{result.id}"
            notices = r.bot.handler.workflow.operators.notices
            assert await notices.receive(link, None, "it shows me", "") == 1
            assert await notices.remind() == 1
            (told,) = await discord.wait_for(lambda: discord.messages_of_bot(discord.dm(olga)))
            assert "it shows me" in text_of(told)
            assert "#1" in await operator(r, olga, "notices")
            assert await operator(r, olga, "settle", notice=1, outcome="kept") == english("notices_none")


async def test_a_server_that_the_bot_leaves_is_noted_until_it_is_invited_again(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await join(r, "second")
        second = next(guild for guild in r.bot.guilds if guild.name == "second")
        cog = r.bot.get_cog("Membership")
        assert isinstance(cog, Membership)
        await cog.on_guild_remove(second)
        assert await r.store.ageing.left_before(math.inf) == (f"discord:{second.id}",)
        await cog.on_guild_join(second)
        assert await r.store.ageing.left_before(math.inf) == ()
