"""Logging in, and going on with less than was hoped for."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import discord
import pytest
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.discord_chat.commands.command_sync import RETRY_S as SYNC_RETRY_S
from bot.discord_chat.errors import LoginRefused
from bot.discord_chat.inbound.catch_up import READ_TRIES
from bot.discord_chat.inbound.catch_up import RETRY_S as READ_RETRY_S
from bot.discord_chat.startup import DiscordAddress, MessageAccess, point_at, serve_discord
from conversations.images.image_store import ImageStore
from conversations.store.session_store import SessionStore
from mgie_engine.serving.service import EditService
from tests.bot.discord_chat.test_conversation import post_picture
from tests.support.discord_room import loopback, person, room, running_workflow
from tests.support.discord_server import DiscordServer
from tests.support.discord_server.gateway import MESSAGE_CONTENT
from tests.support.fakes import EchoEditor

AIOHTTP_TRIES = 2  # of one request whose connection is closed before the answer


@pytest.fixture(autouse=True)
def _restored_addresses() -> Iterator[None]:
    """discord.py keeps its addresses in classes; put them back."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, discord.Asset.BASE
    yield
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, discord.Asset.BASE = before


async def serve(folder: Path, server: DiscordServer, token: str, *, message_content: bool = False) -> None:
    address = DiscordAddress(server.api_base, server.gateway_url, (server.host,))
    async with (
        SessionStore.open(folder / "conversations.db") as store,
        EditService(EchoEditor()) as service,
        running_workflow(store, ImageStore(folder), service) as (workflow, _),
    ):
        await serve_discord(workflow, store, token, address, MessageAccess(message_content, (1,)))


async def test_without_the_granted_intent_it_goes_on_without(tmp_path: Path) -> None:
    async with loopback() as server, asyncio.TaskGroup() as group:
        server.gateway.allowed_privileged = 0
        serving = group.create_task(serve(tmp_path, server, server.token, message_content=True))
        (session,) = await server.wait_for(lambda: server.gateway.connected)
        assert not session.intents & MESSAGE_CONTENT
        serving.cancel()


async def test_with_the_granted_intent_it_asks_for_it(tmp_path: Path) -> None:
    async with loopback() as server, asyncio.TaskGroup() as group:
        serving = group.create_task(serve(tmp_path, server, server.token, message_content=True))
        (session,) = await server.wait_for(lambda: server.gateway.connected)
        assert session.intents & MESSAGE_CONTENT
        serving.cancel()


async def test_a_wrong_token_is_said_in_one_sentence(tmp_path: Path) -> None:
    async with loopback() as server:
        with pytest.raises(LoginRefused, match="does not accept DISCORD_TOKEN"):
            await serve(tmp_path, server, "wrong")


async def test_commands_that_cannot_be_registered_do_not_stop_the_bot(tmp_path: Path) -> None:
    async with loopback() as server, asyncio.TaskGroup() as group:
        server.faults.refuse("PUT", "/commands$", 30034, "Max daily application command creates reached")
        serving = group.create_task(serve(tmp_path, server, server.token))
        await server.wait_for(lambda: server.gateway.connected)
        serving.cancel()


async def test_a_connection_that_breaks_at_the_start_stops_nothing(tmp_path: Path) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async with loopback() as server:
        server.faults.hang_up("PUT", "/commands$", times=AIOHTTP_TRIES)
        async with room(tmp_path, discord=server, sleep=sleep) as r:
            await server.wait_for(lambda: server.world.commands)
            await r.result(post_picture(r))
        channel, anna = next(iter(server.world.channels.values())), person(server, "anna")
        asked = server.say(channel, anna, "make it blue", mention=True)
        server.faults.hang_up("GET", "/messages$", times=AIOHTTP_TRIES * (READ_TRIES - 1))
        async with room(tmp_path, discord=server, sleep=sleep) as r:
            await r.result(asked)
        assert waited == [SYNC_RETRY_S, *[READ_RETRY_S] * (READ_TRIES - 1)]


async def test_commands_are_registered_again_only_when_they_changed(tmp_path: Path) -> None:
    async with loopback() as server:
        for _ in range(2):
            async with room(tmp_path, discord=server):
                pass
        puts = [request for request in server.requests if request.method == "PUT"]
        assert len(puts) == 1


async def test_a_long_wait_for_the_commands_is_waited_for(tmp_path: Path) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async with loopback() as server:
        server.faults.rate_limit("PUT", "/commands$", retry_after_s=3600.0)
        async with room(tmp_path, discord=server, sleep=sleep):
            await server.wait_for(lambda: server.world.commands)
        assert waited == [3600.0]


async def test_a_long_wait_while_catching_up_loses_no_message(tmp_path: Path) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async with loopback() as server:
        async with room(tmp_path, discord=server) as r:
            await r.result(post_picture(r))
        channel, anna = next(iter(server.world.channels.values())), person(server, "anna")
        asked = server.say(channel, anna, "make it blue", mention=True)
        server.faults.rate_limit("GET", "/messages$", retry_after_s=90.0)
        async with room(tmp_path, discord=server, sleep=sleep) as r:
            await r.result(asked)
        assert waited == [90.0]


@pytest.mark.parametrize(
    ("code", "reason"),
    [(4004, "does not accept DISCORD_TOKEN"), (4010, "the code 4010")],
)
async def test_a_connection_closed_for_good_is_one_sentence(tmp_path: Path, code: int, reason: str) -> None:
    async with loopback() as server:
        server.gateway.refuses_with = code
        with pytest.raises(LoginRefused, match=reason):
            await serve(tmp_path, server, server.token)


async def test_a_server_error_at_the_login_is_one_sentence(tmp_path: Path) -> None:
    async with loopback() as server:
        server.faults.server_error("GET", "/users/@me", status=503, times=9)
        with pytest.raises(LoginRefused, match="status 503"):
            await serve(tmp_path, server, server.token)


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("http://localhost:8800/api/v10", "http://localhost:8800/api/v10"),
        ("http://localhost:8800/api/v9/", "http://localhost:8800/api/v9"),
        ("https://discord.example/api", "https://discord.example/api/v10"),
    ],
)
def test_the_version_of_the_api_may_be_left_out(given: str, base: str) -> None:
    point_at(DiscordAddress(given, "wss://gateway.example"))
    assert base == Route.BASE
    assert yarl.URL("wss://gateway.example") == DiscordWebSocket.DEFAULT_GATEWAY


def test_plain_http_is_for_servers_of_ones_own() -> None:
    assert DiscordAddress("http://localhost/api").download_rules.plain_http
    assert not DiscordAddress().download_rules.plain_http
    assert not DiscordAddress("https://discord.example/api").download_rules.plain_http
