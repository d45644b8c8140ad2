"""A backup made by `mgie-bot backup` beside a running bot; kill -9; another process goes on from it."""

import asyncio
import os
import sys
from pathlib import Path

from tests.bot.discord_chat.test_restart import FIRST_START_S, after_picture, result
from tests.support.bot_process import PROJECT, bot_process, colour_of, marks_on
from tests.support.discord_room import loopback, person
from tests.support.fakes import a_picture


async def backed_up(data: Path, copy: Path) -> int:
    """The exit code of `mgie-bot backup`, run as an operator runs it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "backup", str(copy)),
        env={**os.environ, "DATA_DIR": str(data)},
        cwd=PROJECT,
    )
    return await process.wait()


async def test_the_conversation_goes_on_from_a_backup_in_a_new_folder(tmp_path: Path) -> None:
    async with loopback() as discord:
        channel, anna = discord.world.add_channel("pictures"), person(discord, "anna")
        async with bot_process(tmp_path / "data", discord, "marking") as bot:
            await discord.wait_for(lambda: discord.gateway.connected, FIRST_START_S)
            asked = discord.say(channel, anna, "make it red", files={"b.png": a_picture()}, mention=True)
            first = await result(discord, asked)
            assert await backed_up(tmp_path / "data", tmp_path / "copy") == 0
            assert bot.is_running
            await result(discord, discord.say(channel, anna, "now yellow", reply_to=first))
            await bot.kill()
        async with bot_process(tmp_path / "copy", discord, "marking"):
            await discord.wait_for(lambda: discord.gateway.identifies == 2, FIRST_START_S)
            second = await result(discord, discord.say(channel, anna, "now blue", reply_to=first))
            red, blue = colour_of("make it red"), colour_of("now blue")
            assert marks_on(after_picture(discord, second), 2) == [red, blue]
