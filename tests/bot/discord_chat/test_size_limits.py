"""Pictures that are too large for Discord or for the bot, and attachments that are gone."""

import io
import random
from pathlib import Path

from PIL import Image

from conversations.images.decode import mebibytes
from tests.bot.discord_chat.test_conversation import post_picture
from tests.bot.discord_chat.test_failures import MESSAGES, POST, one_result
from tests.support.discord_room import NO_CARDS, room
from tests.support.discord_server.people import gallery_of, text_of
from tests.support.english import english


def photo_of_noise(side: int) -> bytes:
    """A JPEG whose pixels hardly compress: small enough to upload, far too large as a PNG."""
    file = io.BytesIO()
    data = random.Random(1).randbytes(side * side * 3)
    Image.frombytes("RGB", (side, side), data).save(file, "JPEG", quality=60)
    return file.getvalue()


async def test_a_result_over_the_limit_is_encoded_again_and_that_is_said(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        photo = photo_of_noise(2048)
        asked = r.discord.say(r.channel, r.anna, "red", files={"photo.jpg": photo}, mention=True)
        result = await r.result(asked)
        after, _ = gallery_of(result, r.discord.world)[1]
        assert len(after) < r.discord.world.filesize_limit
        assert "-# Shown as WebP at quality 9" in text_of(result)
        assert "because files here may have at most 10 MiB." in text_of(result)


async def test_a_server_that_takes_less_than_it_says_still_gets_the_result(tmp_path: Path) -> None:
    async with room(tmp_path, pacing=NO_CARDS) as r:
        sentence = "Request entity too large"
        refused = r.discord.faults.refuse(POST, MESSAGES, 40005, sentence, status=413, said="-done")
        await one_result(r)
        assert refused.met == 1


async def test_an_attachment_that_is_too_large_is_refused_before_it_is_fetched(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        asked = r.discord.say(r.channel, r.anna, "red", files={"b.png": bytes(11 * 2**20)}, mention=True)
        assert text_of(await r.answer(asked)) == english(
            "file_too_large", size=mebibytes(11 * 2**20), limit=mebibytes(10 * 2**20)
        )


async def test_an_attachment_that_is_gone_is_said(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        asked = post_picture(r)
        r.discord.world.uploads.clear()
        assert text_of(await r.answer(asked)) == english("not_downloaded_status", status="404")
