"""Progress at Discord's pace, with a clock and a sleep of the test's own."""

import asyncio

from bot.chat.replies import Card, CardState
from bot.discord_chat.sending.edit_throttle import EditThrottle
from conversations.messages import Message


class Time:
    """Seconds that pass only while somebody sleeps, and only when the test lets them."""

    def __init__(self) -> None:
        self.now = 100.0
        self.naps: asyncio.Queue[float] = asyncio.Queue()
        self._wake = asyncio.Event()

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Sleep until the test wakes everybody up."""
        self.naps.put_nowait(seconds)
        await self._wake.wait()
        self._wake.clear()

    async def pass_nap(self) -> float:
        """Let the next sleeper sleep its time out; how long that was."""
        seconds = await self.naps.get()
        self.now += seconds
        self._wake.set()
        return seconds


def step(number: int) -> Card:
    return Card(
        "k3f9", "v1", "discord:1", CardState.RUNNING, status=Message("painting", step=number, steps=4)
    )


class Sent:
    """What was sent, and a way to wait for it."""

    def __init__(self) -> None:
        self.cards: asyncio.Queue[Card] = asyncio.Queue()
        self.fails = False

    async def send(self, card: Card) -> None:
        """Note the card, then fail if so told."""
        self.cards.put_nowait(card)
        if self.fails:
            raise ConnectionError("503")


async def test_the_newest_card_wins_and_edits_keep_their_distance() -> None:
    time, sent = Time(), Sent()
    async with EditThrottle(2.5, time, time.sleep) as pace:
        pace.begin("k3f9")
        time.now += 1.0
        for number in (1, 2, 3):
            pace.offer(step(number), sent.send)
        assert await time.pass_nap() == 1.5
        assert await sent.cards.get() == step(3)
        pace.offer(step(4), sent.send)
        assert await time.pass_nap() == 2.5
        assert await sent.cards.get() == step(4)
        assert sent.cards.empty()


async def test_nothing_is_sent_once_the_turn_is_over() -> None:
    time, sent = Time(), Sent()
    async with EditThrottle(2.5, time, time.sleep) as pace:
        pace.begin("k3f9")
        pace.offer(step(1), sent.send)
        await time.naps.get()
        await pace.end("k3f9")
    assert sent.cards.empty()


async def test_a_failed_edit_does_not_stop_the_next() -> None:
    time, sent = Time(), Sent()
    async with EditThrottle(2.5, time, time.sleep) as pace:
        sent.fails = True
        pace.offer(step(1), sent.send)
        await time.pass_nap()
        await sent.cards.get()
        await pace.end("k3f9")
        sent.fails = False
        pace.offer(step(2), sent.send)
        await time.pass_nap()
        assert await sent.cards.get() == step(2)


async def test_leaving_ends_what_is_under_way() -> None:
    time, sent = Time(), Sent()
    async with EditThrottle(2.5, time, time.sleep) as pace:
        pace.begin("k3f9")
        pace.offer(step(1), sent.send)
        await time.naps.get()
    assert sent.cards.empty()


async def test_what_is_on_its_way_is_waited_for_and_not_called_back() -> None:
    time, on_its_way, may_arrive = Time(), asyncio.Event(), asyncio.Event()
    arrived: list[Card] = []

    async def slow(card: Card) -> None:
        on_its_way.set()
        await may_arrive.wait()
        arrived.append(card)

    async with EditThrottle(2.5, time, time.sleep) as pace:
        pace.offer(step(1), slow)
        await time.pass_nap()
        await on_its_way.wait()
        ending = asyncio.create_task(pace.end("k3f9"))
        may_arrive.set()
        await ending
    assert arrived == [step(1)]
