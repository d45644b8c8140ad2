"""What a server sees of the bot before anybody uses it: the welcome, the invitation, the presence."""

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import discord

from bot.discord_chat.permissions import NEEDED
from bot.discord_chat.presence import IDLE
from bot.discord_chat.welcome import invitation
from conversations.servers import EVERYWHERE
from tests.bot.discord_chat.test_conversation import post_picture
from tests.support.discord_room import Room, room
from tests.support.discord_server import guild_shapes
from tests.support.discord_server.people import text_of
from tests.support.english import english
from tests.support.fakes import ScriptedEditor


def join(r: Room, locale: str = "en-US", **changed: object) -> None:
    """Another server, with the same channels, adds the bot."""
    world = r.discord.world
    body = json.dumps(guild_shapes.guild(world)).replace(str(world.guild_id), str(world.ids.next()))
    joined = {**json.loads(body), "preferred_locale": locale, **changed}
    del joined["unavailable"]  # which tells a server that was known before from a new one
    r.discord.gateway.dispatch("GUILD_CREATE", joined)


async def test_a_server_that_adds_the_bot_is_told_what_it_does_and_what_it_lacks(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        join(r)
        (said,) = await r.discord.wait_for(lambda: r.discord.messages_of_bot(r.channel))
        lacking = tuple(NEEDED[name] for name in ("add_reactions", "bypass_slowmode"))
        assert text_of(said).splitlines() == [
            *english("welcome").splitlines(),
            english("welcome_permissions", permissions=lacking),
        ]


async def test_the_welcome_speaks_the_language_of_the_server_in_its_notices(
    tmp_path: Path,
) -> None:
    async with room(tmp_path) as r:
        notices = r.discord.world.add_channel("notices")
        join(r, "de", system_channel_id=str(notices.id))
        (said,) = await r.discord.wait_for(lambda: r.discord.messages_of_bot(notices))
        assert text_of(said).startswith("Hallo!")
        assert not r.discord.messages_of_bot(r.channel)


def test_the_invitation_asks_for_what_the_bot_needs() -> None:
    asked = parse_qs(urlsplit(invitation(42)).query)
    assert (asked["client_id"], asked["scope"]) == (["42"], ["bot applications.commands"])
    permissions = discord.Permissions(int(asked["permissions"][0]))
    assert permissions.bypass_slowmode
    assert permissions.attach_files
    assert permissions.create_public_threads
    assert not permissions.administrator


async def test_the_presence_says_how_many_wait_and_that_the_bot_is_paused(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with room(tmp_path, editor) as r:
        shown = r.discord.gateway.presences
        await r.discord.wait_for(lambda: shown == [IDLE])
        for words in ("red", "green", "blue"):
            post_picture(r, words)
        running = await editor.started()
        await r.discord.wait_for(lambda: r.runner.active.waiting() == 2)
        await r.bot.presence.update()
        await r.bot.presence.update()
        await r.discord.wait_for(lambda: shown == [IDLE, "2 waiting"])
        await r.store.servers.change(EVERYWHERE, lambda rules: replace(rules, is_paused=True))
        await r.bot.presence.update()
        await r.discord.wait_for(lambda: shown[-1] == "Paused")
        running.finish()
        for _ in range(2):
            (await editor.started()).finish()
        await r.turns_end()
