"""A bot in many servers: several connections, each caught up by itself, and as many as Discord wants."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import discord
import pytest

from bot.discord_chat.client import IDENTIFY_PAUSE_S
from bot.discord_chat.ids import CHAT
from bot.discord_chat.inbound.catch_up import CatchUp
from bot.discord_chat.startup import MENTIONS_ONLY, RESHARD_PAUSES_S, DiscordAddress, serve_discord
from conversations.images.image_store import ImageStore
from conversations.store.session_store import SessionStore
from mgie_engine.serving.service import EditService
from tests.bot.discord_chat.test_conversation import post_picture
from tests.support.discord_room import loopback, person, results_to, room, running_workflow
from tests.support.discord_server import DiscordServer
from tests.support.fakes import EchoEditor, a_picture

FILES = {"a.png": a_picture()}


class Waits:
    """Waits no time, and notes how long it was to be."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def shards(server: DiscordServer) -> list[tuple[int, int]]:
    return sorted((session.shard, session.shards) for session in server.gateway.connected)


async def run_before(folder: Path) -> None:
    """The bot has read its chat until now."""
    async with SessionStore.open(folder / "conversations.db") as store:
        now = discord.utils.time_snowflake(discord.utils.utcnow())
        await store.chats.set_newest_message(CHAT, now)


@asynccontextmanager
async def serving(folder: Path, server: DiscordServer, sleep: Waits) -> AsyncIterator[None]:
    """The Discord chat as `mgie-bot` runs it."""
    address = DiscordAddress(server.api_base, server.gateway_url, (server.host,))
    async with (
        SessionStore.open(folder / "conversations.db") as store,
        EditService(EchoEditor()) as service,
        running_workflow(store, ImageStore(folder), service) as (workflow, _),
        asyncio.TaskGroup() as group,
    ):
        talking = group.create_task(
            serve_discord(workflow, store, server.token, address, MENTIONS_ONLY, sleep)
        )
        yield
        await workflow.drain(0)
        talking.cancel()


async def test_as_many_connections_are_opened_as_discord_recommends(tmp_path: Path) -> None:
    waits = Waits()
    async with loopback() as server:
        server.gateway.recommended_shards = 3
        async with room(tmp_path, discord=server, sleep=waits) as r:
            assert shards(server) == [(0, 3), (1, 3), (2, 3)]
            first = await r.result(post_picture(r))
            await r.result(server.say(r.channel, r.anna, "now blue", reply_to=first))
            await r.result(server.say(server.dm(r.ben), r.ben, "make it red", files=FILES))
    assert waits.seconds == [IDENTIFY_PAUSE_S] * 2


async def test_where_more_connections_are_wanted_than_recommended_they_are_opened(tmp_path: Path) -> None:
    waits = Waits()
    async with loopback() as server, serving(tmp_path, server, waits):
        server.gateway.least_shards = 3
        await server.wait_for(lambda: len(server.gateway.connected) == 4)
        assert shards(server) == [(number, 4) for number in range(4)]
        assert [s for s in waits.seconds if s in RESHARD_PAUSES_S[1:]] == [RESHARD_PAUSES_S[1]]


async def test_a_running_bot_that_outgrows_its_connection_goes_on_with_more(tmp_path: Path) -> None:
    await run_before(tmp_path)
    async with loopback() as server, serving(tmp_path, server, Waits()):
        channel, anna = server.world.add_channel("pictures"), person(server, "anna")
        await server.wait_for(lambda: server.gateway.connected)
        first = server.say(channel, anna, "make it red", files=FILES, mention=True)
        (shown,) = await server.wait_for(lambda: results_to(server, first))
        server.gateway.least_shards = server.gateway.recommended_shards = 2
        server.gateway.end_sessions()
        missed = server.say(channel, anna, "make it green", reply_to=shown)
        await server.wait_for(lambda: len(server.gateway.connected) == 2)
        later = server.say(channel, anna, "make it blue", reply_to=shown)
        for asked in (missed, later):
            await server.wait_for(lambda asked=asked: results_to(server, asked))  # type: ignore[misc]
        assert [len(results_to(server, asked)) for asked in (first, missed, later)] == [1, 1, 1]


@pytest.mark.parametrize("lost", [0, 1])
async def test_a_lost_connection_is_caught_up_while_the_other_goes_on(tmp_path: Path, lost: int) -> None:
    async with loopback() as server:
        server.gateway.recommended_shards = 2
        async with room(tmp_path, discord=server, sleep=Waits()) as r:
            await r.result(post_picture(r))
            dm = server.dm(r.ben)
            await r.result(server.say(dm, r.ben, "make it red", files=FILES))
            server.gateway.end_sessions(lost)
            asked = [
                server.say(r.channel, r.anna, "make it green", files=FILES, mention=True),
                server.say(dm, r.ben, "make it blue", files=FILES),
            ]
            for message in asked:
                await r.result(message)
            await server.wait_for(lambda: len(shards(server)) == 2)
            assert [len(results_to(server, message)) for message in asked] == [1, 1]


async def test_the_stored_position_waits_for_the_slowest_connection(tmp_path: Path) -> None:
    async with SessionStore.open(tmp_path / "conversations.db") as store:
        await store.chats.set_newest_message(CHAT, 1000)
        catch_up = CatchUp(store.chats)

        async def stored() -> int:
            return await store.chats.newest_message(CHAT) or 0

        await catch_up.load()
        catch_up.expect(2)
        await catch_up.caught_up(0)
        assert await stored() == 1000
        await catch_up.caught_up(1)
        ready = await stored()
        assert ready > 1000

        catch_up.disconnected(1)
        catch_up.connected(0)
        await catch_up.caught_up(0)
        assert await stored() == ready  # that of the lost one
        catch_up.connected(1)
        catch_up.resumed(1)  # a session that is not caught up stays so
        await catch_up.caught_up(0)
        assert await stored() == ready


async def test_a_resumed_connection_holds_the_position_back_no_longer(tmp_path: Path) -> None:
    async with SessionStore.open(tmp_path / "conversations.db") as store:
        await store.chats.set_newest_message(CHAT, 1000)
        catch_up = CatchUp(store.chats)
        await catch_up.load()
        catch_up.disconnected(1)
        await catch_up.caught_up(0)
        assert await store.chats.newest_message(CHAT) == 1000
        catch_up.resumed(1)
        await catch_up.caught_up(0)
        assert (await store.chats.newest_message(CHAT) or 0) > 1000


async def test_the_first_run_keeps_its_position_from_the_first_message_on(tmp_path: Path) -> None:
    async with SessionStore.open(tmp_path / "conversations.db") as store:
        catch_up = CatchUp(store.chats)
        await catch_up.load()
        catch_up.expect(2)
        catch_up.connected(0)
        await catch_up.caught_up(0)
        assert await store.chats.newest_message(CHAT)


@pytest.mark.parametrize("is_back_before", [True, False])
async def test_a_connection_that_is_lost_while_it_catches_up_misses_nothing(
    tmp_path: Path, is_back_before: bool
) -> None:
    async with SessionStore.open(tmp_path / "conversations.db") as store:
        await store.chats.set_newest_message(CHAT, 1000)
        catch_up = CatchUp(store.chats)
        nobody: Any = SimpleNamespace(guilds=[])
        await catch_up.load()
        catch_up.expect(1)
        assert [message async for message in catch_up.missed(nobody, 0)] == []
        catch_up.disconnected(0)
        if is_back_before:
            catch_up.connected(0)
        await catch_up.caught_up(0)
        assert await store.chats.newest_message(CHAT) == 1000
        catch_up.connected(0)
        assert [message async for message in catch_up.missed(nobody, 0)] == []
        await catch_up.caught_up(0)
        assert (await store.chats.newest_message(CHAT) or 0) > 1000
