"""The loopback Discord keeps to what the real service does where a bot could notice."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.discord_server import DiscordServer, PublishedApi
from tests.support.discord_server.gateway import MESSAGE_CONTENT
from tests.support.fakes import a_picture

PUBLISHED = PublishedApi.load()


class Caller:
    """A bot reduced to its REST calls."""

    def __init__(self, discord: DiscordServer, session: aiohttp.ClientSession) -> None:
        self._discord, self._session = discord, session

    async def call(
        self, method: str, path: str, body: Any = None, token: str | None = None
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bot {token or self._discord.token}"}
        url = self._discord.api_base + path
        async with self._session.request(method, url, json=body, headers=headers) as response:
            if response.status == 204:
                return 204, None
            assert response.headers["Content-Type"] == "application/json"
            return response.status, await response.json()


@pytest.fixture
async def discord() -> AsyncIterator[DiscordServer]:
    async with DiscordServer(published=PUBLISHED) as server:
        yield server
    assert not server.complaints, server.complaints


@pytest.fixture
async def bot(discord: DiscordServer) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession() as session:
        yield Caller(discord, session)


async def test_the_same_enforced_nonce_gives_the_same_message(discord: DiscordServer, bot: Caller) -> None:
    path = f"/channels/{discord.world.add_channel('c').id}/messages"
    body = {"content": "hi", "nonce": "k3f9-done", "enforce_nonce": True}
    first, second = [await bot.call("POST", path, body) for _ in range(2)]
    assert first[1]["id"] == second[1]["id"]
    discord.world.nonces.clear()
    assert (await bot.call("POST", path, body))[1]["id"] != first[1]["id"]


async def test_a_fetched_message_has_no_nonce(discord: DiscordServer, bot: Caller) -> None:
    path = f"/channels/{discord.world.add_channel('c').id}/messages"
    await bot.call("POST", path, {"content": "hi", "nonce": "k3f9-done", "enforce_nonce": True})
    _, (fetched,) = await bot.call("GET", path)
    assert "nonce" not in fetched


async def test_without_the_intent_only_what_is_meant_for_the_bot_can_be_read(
    discord: DiscordServer, bot: Caller
) -> None:
    channel, anna = discord.world.add_channel("c"), discord.world.add_person("anna")
    discord.gateway.allowed_privileged &= ~MESSAGE_CONTENT
    discord.say(channel, anna, "secret", files={"a.png": a_picture()})
    discord.say(channel, anna, "for you", mention=True)
    _, (mention, chatter) = await bot.call("GET", f"/channels/{channel.id}/messages")
    assert (chatter["content"], chatter["attachments"]) == ("", [])
    assert mention["content"].endswith("for you")


async def test_history_is_cut_where_it_is_asked_to_be(discord: DiscordServer, bot: Caller) -> None:
    channel, anna = discord.world.add_channel("c"), discord.world.add_person("anna")
    ids = [str(discord.say(channel, anna, str(n)).id) for n in range(5)]
    path = f"/channels/{channel.id}/messages"
    _, after = await bot.call("GET", f"{path}?after={ids[1]}&limit=2")
    _, before = await bot.call("GET", f"{path}?before={ids[2]}")
    assert [m["id"] for m in after] == [ids[3], ids[2]]
    assert [m["id"] for m in before] == [ids[1], ids[0]]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"content": ""}, 50006),
        ({"content": "x" * 2001}, 50035),
        ({"content": "x", "flags": 32768, "components": [{"type": 10, "content": "y"}]}, 50035),
        ({"components": [{"type": 10, "content": "y"}]}, 50035),
        ({"flags": 32768, "components": [{"type": 10, "content": "y" * 4001}]}, 50035),
        (
            {"flags": 32768, "components": [{"type": 12, "items": [{"media": {"url": "attachment://no"}}]}]},
            50035,
        ),
        ({"content": "x", "message_reference": {"message_id": "5"}}, 50035),
    ],
)
async def test_what_discord_refuses_is_refused(
    discord: DiscordServer, bot: Caller, body: dict[str, Any], code: int
) -> None:
    status, answer = await bot.call("POST", f"/channels/{discord.world.add_channel('c').id}/messages", body)
    assert (status, answer["code"]) == (400, code)
    discord.complaints.clear()


async def test_missing_rights_unknown_places_and_wrong_tokens_have_their_codes(
    discord: DiscordServer, bot: Caller
) -> None:
    channel = discord.world.add_channel("c")
    channel.denied.add("send_messages")
    path = f"/channels/{channel.id}/messages"
    assert (await bot.call("POST", path, {"content": "x"}))[1]["code"] == 50013
    assert (await bot.call("GET", "/channels/5"))[1]["code"] == 10003
    assert (await bot.call("DELETE", f"{path}/5"))[1]["code"] == 10008
    assert (await bot.call("GET", "/users/@me", token="wrong"))[0] == 401


async def test_signed_addresses_expire_and_are_fresh_when_fetched_again(
    discord: DiscordServer, bot: Caller
) -> None:
    channel, anna = discord.world.add_channel("c"), discord.world.add_person("anna")
    message = discord.say(channel, anna, files={"a.png": a_picture()}, mention=True)

    async def status() -> int:
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return response.status

    url = discord.shown(message)["attachments"][0]["url"]
    assert await status() == 200
    discord.world.signature += 1
    assert await status() == 404
    url = discord.shown(message)["attachments"][0]["url"]
    assert await status() == 200


async def test_a_thread_begun_on_a_message_is_a_channel_of_its_own(
    discord: DiscordServer, bot: Caller
) -> None:
    channel, anna = discord.world.add_channel("c"), discord.world.add_person("anna")
    start = discord.say(channel, anna, "hello")
    status, thread = await bot.call(
        "POST", f"/channels/{channel.id}/messages/{start.id}/threads", {"name": "t"}
    )
    assert (status, thread["id"]) == (201, str(start.id))
    assert (await bot.call("POST", f"/channels/{thread['id']}/messages", {"content": "hi"}))[0] == 200


async def test_the_gateway_tells_a_resuming_client_what_it_missed(discord: DiscordServer) -> None:
    channel, anna = discord.world.add_channel("c"), discord.world.add_person("anna")
    identify = {"op": 2, "d": {"token": discord.token, "intents": 4609, "properties": {}}}
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(discord.gateway_url) as socket:
            assert (await socket.receive_json())["op"] == 10
            await socket.send_json(identify)
            ready = await socket.receive_json()
            await socket.receive_json()
            discord.gateway.drop_sockets()
        discord.say(channel, anna, "missed", mention=True)
        resume = {"token": discord.token, "session_id": ready["d"]["session_id"], "seq": 2}
        async with session.ws_connect(discord.gateway_url) as socket:
            await socket.receive_json()
            await socket.send_json({"op": 6, "d": resume})
            missed, resumed = [await socket.receive_json() for _ in range(2)]
            assert (missed["t"], resumed["t"]) == ("MESSAGE_CREATE", "RESUMED")
            assert missed["d"]["content"].endswith("missed")


async def test_the_page_shows_what_people_see(discord: DiscordServer) -> None:
    channel, anna = discord.world.add_channel("c"), discord.world.add_person("anna")
    discord.say(channel, anna, "**bold** <script>", files={"a.png": a_picture()}, mention=True)
    address = f"{discord.url}/channels/{channel.id}"
    async with aiohttp.ClientSession() as session, session.get(address) as response:
        page = await response.text()
    assert "<b>bold</b> &lt;script&gt;" in page
    assert "<span class=at>@mgie</span>" in page


async def test_waiting_for_what_never_comes_ends(discord: DiscordServer) -> None:
    with pytest.raises(TimeoutError):
        await discord.wait_for(lambda: None, within_s=0.0)
    asyncio.get_running_loop().call_soon(discord.changes.tell)
    assert await discord.wait_for(lambda: discord.world.channels is not None)


async def test_people_can_talk_from_the_page(discord: DiscordServer) -> None:
    channel, anna = discord.world.add_channel("c"), discord.world.add_person("anna")
    form = aiohttp.FormData({"person": str(anna.id), "text": "make it red", "mention": "on"})
    form.add_field("file", a_picture(), filename="a.png")
    async with aiohttp.ClientSession() as session:
        response = await session.post(f"{discord.url}/channels/{channel.id}", data=form)
        assert response.status == 200
    (message,) = channel.messages.values()
    assert message.content == f"<@{discord.world.bot.id}> make it red"
    assert message.uploads[0].data == a_picture()


@pytest.mark.parametrize(
    ("granted", "status"), [(set(), 403), ({"manage_messages"}, 204), ({"administrator"}, 204)]
)
async def test_messages_of_others_can_be_deleted_only_with_the_right_to_manage_them(
    discord: DiscordServer, bot: Caller, granted: set[str], status: int
) -> None:
    channel, webhook = discord.world.add_channel("c"), discord.world.add_webhook("camera")
    discord.world.granted |= granted
    message = discord.say(channel, webhook, "hello")
    path = f"/channels/{channel.id}/messages"
    fetched = (await bot.call("GET", f"{path}/{message.id}"))[1]
    assert fetched["webhook_id"] == fetched["author"]["id"] == str(webhook.id)
    assert (await bot.call("DELETE", f"{path}/{message.id}"))[0] == status
    assert discord.world.deleted_by_bot == ([message] if status == 204 else [])
    own = (await bot.call("POST", path, {"content": "hi"}))[1]
    assert (await bot.call("DELETE", f"{path}/{own['id']}"))[0] == 204


async def test_nobody_elses_message_can_be_deleted_in_a_dm(discord: DiscordServer, bot: Caller) -> None:
    discord.world.granted.add("administrator")
    anna = discord.world.add_person("anna")
    message = discord.say(discord.dm(anna), anna, "hello")
    path = f"/channels/{message.channel.id}/messages/{message.id}"
    assert (await bot.call("DELETE", path))[1]["code"] == 50003


def test_a_missing_description_is_said(tmp_path: Path) -> None:
    missing = tmp_path / "openapi.json"
    assert PublishedApi.load(missing) is None
    assert f"{missing} is missing" in (PublishedApi.gap(missing) or "")
    missing.write_text("{}")
    assert PublishedApi.gap(missing) is None
