"""The bot is stopped while users ask for much: no traceback is logged, and what was accepted is kept."""

import asyncio
import logging
from pathlib import Path

import pytest

from tests.bot.discord_chat.test_conversation import post_picture
from tests.support.discord_room import Room, loopback, results_in, room


def flood(r: Room) -> None:
    """Messages, commands and buttons of many users at once."""
    [shown, *_] = results_in(r.discord, r.channel)
    for number in range(6):
        person = r.discord.world.add_person(f"person{number}")
        post_picture(r, "make it dusk")
        for words in ("make it red", "history", "thanks!"):
            r.discord.say(r.channel, person, words, reply_to=shown, mention=True)
        r.discord.slash(r.channel, person, "queue")
        r.discord.slash(r.channel, person, "show", version="v1")
        r.discord.press(shown, "Compare", person)
        r.discord.press(shown, "Refine", person)
        r.discord.menu(shown, person, "Cancel or delete edit")


@pytest.mark.parametrize("turns_of_the_loop", [20, 150])
async def test_a_stop_under_a_flood_logs_no_traceback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, turns_of_the_loop: int
) -> None:
    async with loopback() as server:
        async with room(tmp_path, discord=server) as r:
            await r.result(post_picture(r))
            await r.turns_end()
            flood(r)
            for _ in range(turns_of_the_loop):
                await asyncio.sleep(0)
        assert [
            record for record in caplog.records if record.exc_info or record.levelno > logging.WARNING
        ] == []
        async with room(tmp_path, discord=server) as r:
            async with asyncio.timeout(60):  # messages that are read again may begin further turns
                while not all(turn.state.is_final for turn in await r.turns()):
                    await r.turns_end()
