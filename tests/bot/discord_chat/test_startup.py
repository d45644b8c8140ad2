"""Logging in, and going on with less than was hoped for."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import discord
import pytest
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.discord_chat.errors import LoginRefused
from bot.discord_chat.startup import DiscordAddress, MessageAccess, point_at, serve_discord
from conversations.images.image_store import ImageStore
from conversations.store.session_store import SessionStore
from mgie_engine.serving.service import EditService
from tests.support.discord_room import loopback, running_workflow
from tests.support.discord_server import DiscordServer
from tests.support.discord_server.gateway import MESSAGE_CONTENT
from tests.support.fakes import EchoEditor


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
