"""The same story told through every door: the same versions come of it."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from bot.web_chat.security import COOKIE
from conversations.turn import Turn, TurnState
from tests.bot.discord_chat.test_buttons import said
from tests.support.discord_gestures import opened
from tests.support.discord_room import Room, is_result, room, turn_of
from tests.support.discord_server.world import Channel, Message
from tests.support.fakes import EchoEditor, a_picture
from tests.support.page_server import page_server

FILES = {"ball.png": a_picture()}
Tree = list[tuple[int | None, int | None, str]]  # number, number of the parent, instruction
TREE: Tree = [
    (0, None, ""),
    (1, 0, "make it red"),
    (2, 1, "make it darker"),
    (3, 1, "make it blue"),
    (4, 3, "make it warmer"),
]


@dataclass
class Told:
    """Where a story is told: the room, and the channel in which its results appear."""

    r: Room
    place: Channel

    async def result(self, instruction: str) -> Message:
        """The result with this instruction."""
        await self.r.turns_end()
        (turn,) = [turn for turn in await self.r.turns() if turn.instruction == instruction]
        assert turn.state is TurnState.DONE
        posted = self.r.discord.messages_of_bot(self.place)
        return next(m for m in posted if is_result(m) and turn_of(m) == turn.id)


Start = Callable[[Told, str], Awaitable[None]]  # edits a picture that the user brings
GoOn = Callable[[Told, str, Message | None], Awaitable[None]]  # edits the result, else the current version


async def start_by_mention(t: Told, words: str) -> None:
    t.r.discord.say(t.place, t.r.anna, words, files=FILES, mention=True)
    await next_turn(t, words)


async def start_by_reply(t: Told, words: str) -> None:
    own = t.r.discord.say(t.place, t.r.anna, "look", files=FILES)
    t.r.discord.say(t.place, t.r.anna, words, reply_to=own, mention=True)
    await next_turn(t, words)


async def start_plainly(t: Told, words: str) -> None:
    t.r.discord.say(t.place, t.r.anna, words, files=FILES)
    await next_turn(t, words)


async def start_picture_first(t: Told, words: str) -> None:
    t.r.discord.say(t.place, t.r.anna, files=FILES)
    t.r.discord.say(t.place, t.r.anna, words)
    await next_turn(t, words)


async def start_by_forward(t: Told, words: str) -> None:
    own = t.r.discord.say(t.r.channel, t.r.anna, "// look", files=FILES)
    forward = t.r.discord.forward(own, t.place, t.r.anna)
    t.r.discord.say(t.place, t.r.anna, words, reply_to=forward, mention=True)
    await next_turn(t, words)


async def start_by_slash(t: Told, words: str) -> None:
    await said(t.r, t.r.discord.slash(t.place, t.r.anna, "edit", instruction=words, image=FILES["ball.png"]))


async def start_by_menu(t: Told, words: str) -> None:
    own = t.r.discord.say(t.place, t.r.anna, "// look", files=FILES)
    form = await opened(t.r, t.r.discord.menu(own, t.r.anna, "Edit this image"))
    await said(t.r, t.r.discord.fill_in(form, words=words))


async def start_in_thread(t: Told, words: str) -> None:
    own = t.r.discord.say(t.r.channel, t.r.anna, "// look", files=FILES)
    t.place = t.r.discord.open_thread(own)
    t.r.discord.say(t.place, t.r.anna, words, mention=True)
    await next_turn(t, words)


async def by_mention(t: Told, words: str, result: Message | None) -> None:
    t.r.discord.say(t.place, t.r.anna, words, reply_to=result, mention=True)
    await next_turn(t, words)


async def plainly(t: Told, words: str, result: Message | None) -> None:
    t.r.discord.say(t.place, t.r.anna, words, reply_to=result, ping=False)
    await next_turn(t, words)


async def by_slash(t: Told, words: str, result: Message | None) -> None:
    options = {"from": turn_of(result)} if result else {}
    await said(t.r, t.r.discord.slash(t.place, t.r.anna, "edit", instruction=words, **options))


async def by_form(t: Told, words: str, result: Message | None) -> None:
    form = await opened(t.r, t.r.discord.press(result or await newest(t), "Refine", t.r.anna))
    await said(t.r, t.r.discord.fill_in(form, words=words))


async def by_menu(t: Told, words: str, result: Message | None) -> None:
    asked = t.r.discord.menu(result or await newest(t), t.r.anna, "Refine from here")
    await said(t.r, t.r.discord.fill_in(await opened(t.r, asked), words=words))


async def in_new_thread(t: Told, words: str, result: Message | None) -> None:
    """A branch in a thread on the result; what comes next is said there."""
    if result is not None:
        t.place = t.r.discord.open_thread(result)
    await by_mention(t, words, None)


async def next_turn(t: Told, words: str) -> None:
    """Wait until a turn with this instruction is accepted."""
    while not [turn for turn in await t.r.turns() if turn.instruction == words]:
        seen = len(t.r.discord.requests)
        await t.r.discord.wait_for(lambda seen=seen: len(t.r.discord.requests) > seen or None)  # type: ignore[misc]


async def newest(t: Told) -> Message:
    """The newest result."""
    await t.r.turns_end()
    return [m for m in t.r.discord.messages_of_bot(t.place) if is_result(m)][-1]


STORIES: dict[str, tuple[Start, GoOn]] = {
    "mention": (start_by_mention, by_mention),
    "reply": (start_by_reply, by_mention),
    "direct message": (start_plainly, plainly),
    "edit channel": (start_plainly, plainly),
    "picture first": (start_picture_first, plainly),
    "forward": (start_by_forward, by_mention),
    "slash": (start_by_slash, by_slash),
    "form": (start_by_mention, by_form),
    "menu": (start_by_menu, by_menu),
    "thread on a picture": (start_in_thread, by_mention),
    "thread on a result": (start_by_mention, in_new_thread),
}


@pytest.mark.parametrize("door", [*STORIES, "page"])
async def test_the_same_story_gives_the_same_versions(tmp_path: Path, door: str) -> None:
    assert await (on_page(tmp_path) if door == "page" else on_discord(tmp_path, door)) == TREE


async def on_discord(folder: Path, door: str) -> Tree:
    """The versions that the story leaves, told through a door of Discord."""
    start, go_on = STORIES[door]
    async with room(folder, reads_all=True) as r:
        t = Told(r, r.discord.dm(r.anna) if door == "direct message" else r.channel)
        await start(t, "make it red")
        red = await t.result("make it red")
        await go_on(t, "make it darker", None)
        await t.result("make it darker")
        await go_on(t, "make it blue", red)
        await t.result("make it blue")
        await go_on(t, "make it warmer", None)
        await t.result("make it warmer")
        return tree(await r.turns(), f"discord:{r.anna.id}")


async def on_page(folder: Path) -> Tree:
    """The versions that the story leaves, told on the page."""
    cookies = {COOKIE: "Zm9vYmFyYmF6cXV4MTIzNA"}
    async with (
        page_server(folder, EchoEditor()) as page,
        httpx.AsyncClient(base_url=page.url, cookies=cookies, follow_redirects=True) as ann,
    ):
        await ann.post("/pictures", files={"picture": ("ball.png", FILES["ball.png"])})
        for words in ("make it red", "make it darker", "make it blue", "make it warmer"):
            if words == "make it blue":
                turns = await page.store.turns_in(*TurnState)
                (red,) = [turn for turn in turns if turn.instruction == "make it red"]
                await ann.post("/act", data={"go_to": red.id})
            await ann.post("/message", data={"instruction": words})
            await page.workflow._runner.idle()
        return tree(await page.store.turns_in(*TurnState), f"web:{cookies[COOKIE]}")


def tree(turns: Iterable[Turn], user: str) -> Tree:
    """Number, parent's number and instruction of the versions of one session, all of this user."""
    by_id = {turn.id: turn for turn in turns}
    assert len({turn.session_id for turn in by_id.values()}) == 1
    assert {turn.user for turn in by_id.values()} == {user}
    return [
        (turn.number, by_id[turn.parent_id].number if turn.parent_id else None, turn.instruction)
        for turn in by_id.values()
    ]
