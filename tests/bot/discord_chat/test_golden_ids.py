"""What was made before a restart and an upgrade still answers: every id there ever was, pressed today."""

import re
import sqlite3
import tomllib
from contextlib import closing
from pathlib import Path

import pytest

from bot.chat.events import ButtonAction
from bot.discord_chat.ui.buttons import CHOOSE, ButtonId, DiscordButton, base36
from conversations.turn import TurnState
from tests.bot.discord_chat.test_buttons import next_result, said
from tests.bot.discord_chat.test_conversation import post_picture
from tests.support.discord_gestures import opened, seen
from tests.support.discord_room import Room, loopback, room, turn_of
from tests.support.discord_server.interactions import Interaction
from tests.support.discord_server.limits import every_component
from tests.support.discord_server.people import SELECT, buttons_of, text_of
from tests.support.discord_server.world import Message
from tests.support.english import english, english_pattern

GOLDEN = tomllib.loads((Path(__file__).parent / "golden_ids.toml").read_text("utf-8"))
IDS = {shape: answer for table in GOLDEN.values() for shape, answer in table.items()}
WORDS = {"mark": "0123456789abcdef", "request": "1f2e3d4c"}
OLD_DATABASE = Path(__file__).parents[2] / "conversations" / "data" / "store_m003.sql"
UNFINISHED = {  # when that database was written, and how they end
    "wait": TurnState.DONE,
    "runn": TurnState.DONE,
    "deld": TurnState.DONE,
    "delf": TurnState.FAILED,
}
FORMS = [shape for shape, answer in IDS.items() if answer == "form"]


def filled(shape: str, r: Room, turn: str) -> str:
    return shape.format(turn=turn, owner=base36(r.anna.id), **WORDS)


def press_old(r: Room, message: Message, shape: str, turn: str) -> Interaction:
    """Press a button, or choose `turn` in a menu, that has an id of this shape since long ago."""
    custom_id = filled(shape, r, turn)
    (button, *_) = buttons_of(message)
    if not custom_id.startswith("v"):
        button["custom_id"] = custom_id
        return r.discord.press(message, custom_id, r.anna)
    menu = {"type": SELECT, "custom_id": custom_id, "id": 77, "options": []}
    message.components.append({"type": 1, "id": 78, "components": [menu]})
    return r.discord.choose(message, r.anna, turn)


async def answers(r: Room, asked: Interaction, expected: str) -> bool:
    """Whether an interaction is answered as the golden list says."""
    if expected == "form":
        return bool((await opened(r, asked)).modal)
    answer = await seen(r, asked)
    if expected == "card":
        return bool(answer.uploads or [c for c in every_component(answer.components) if c["type"] == SELECT])
    return english_pattern(expected).search(text_of(answer)) is not None


def test_every_button_of_today_is_in_the_golden_list() -> None:
    acts = {ButtonId.parse(shape.format(turn="k3f9", owner="8dk2", **WORDS)) for shape in IDS}
    assert {known.act for known in acts if known} == {*ButtonAction, *DiscordButton, CHOOSE}


@pytest.mark.parametrize("shape", [shape for shape in IDS if shape.startswith("e")])
def test_ids_made_today_have_the_shape_they_always_had(shape: str) -> None:
    custom_id = shape.format(turn="k3f9", owner="8dk2", **WORDS)
    read = ButtonId.parse(custom_id)
    assert read is not None
    assert str(read) == custom_id
    assert len(custom_id) <= 100


async def test_everything_made_before_a_restart_and_an_upgrade_still_answers(tmp_path: Path) -> None:
    async with loopback() as discord:
        async with room(tmp_path, discord=discord) as r:
            card = await r.result(post_picture(r))
            await r.turns_end()
            await r.bot.wait_until_ready()  # discord.py trips when it is closed at that very moment
        async with room(tmp_path, discord=discord) as r:
            turn = turn_of(card)
            for shape, expected in IDS.items():
                asked = press_old(r, card, shape, turn)
                assert await answers(r, asked, expected), shape
                await r.turns_end()
            await discord.wait_for(lambda: not discord.messages_of_bot(r.channel))
            await said(r, discord.slash(r.channel, r.anna, "info"))  # the bot has heard of it, too


@pytest.mark.parametrize("shape", FORMS)
async def test_a_form_that_was_open_over_an_upgrade_is_taken(tmp_path: Path, shape: str) -> None:
    async with loopback() as discord:
        async with room(tmp_path, discord=discord) as r:
            card = await r.result(post_picture(r))
            await r.turns_end()
            form = await opened(r, press_old(r, card, shape, turn_of(card)))
            await r.bot.wait_until_ready()
        async with room(tmp_path, discord=discord) as r:
            reply = await said(r, discord.fill_in(form, words="now blue"))
            assert reply.startswith((english("queued", version="v2"), english("reported")))
            if reply != english("reported"):
                await next_result(r, 2)


def put_old_database(folder: Path, r: Room, image: str, card: Message) -> None:
    """Replace the database by one of the schema m003, whose turns are Anna's and Ben's in this channel.

    `card` shows its turn "done".
    """
    sql = OLD_DATABASE.read_text("utf-8").replace("discord:501:9011", f"discord:501:{card.id}")
    for old, new in ((501, r.channel.id), (1001, r.anna.id), (1002, r.ben.id)):
        sql = sql.replace(f"discord:{old}", f"discord:{new}").replace(
            f'"channel":{old},', f'"channel":{new},'
        )
    sql = re.sub(r"'(\d)\1{63}'", f"'{image}'", sql)  # every image is one that exists
    for file in folder.glob("conversations.db*"):
        file.unlink()
    with closing(sqlite3.connect(folder / "conversations.db")) as connection:
        connection.executescript(sql)


async def test_a_database_of_an_earlier_release_goes_on_and_its_buttons_answer(tmp_path: Path) -> None:
    async with loopback() as discord:
        async with room(tmp_path, discord=discord) as r:
            card = await r.result(post_picture(r))
            await r.turns_end()
            image = (await r.store.turn(turn_of(card))).image
            assert image is not None
            await r.bot.wait_until_ready()
        put_old_database(tmp_path, r, image, card)
        async with room(tmp_path, discord=discord) as r:
            await r.turns_end()
            ended = {turn.id: turn.state for turn in await r.turns() if turn.id in UNFINISHED}
            assert ended == UNFINISHED
            for shape, expected in IDS.items():
                assert await answers(r, press_old(r, card, shape, "done"), expected), shape
                await r.turns_end()


async def test_a_button_of_a_later_version_says_where_to_find_the_picture(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        card = await r.result(post_picture(r))
        turn = turn_of(card)
        for unknown in ("e2:undo:{turn}:{owner}", "e1:animate:{turn}:{owner}:more"):
            assert await said(r, press_old(r, card, unknown, turn)) == english("old_button", version=turn)
