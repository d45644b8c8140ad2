"""A Discord channel with the real bot in it: real sockets, real store, an editor of the test's choice."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.discord_chat.client import EditBot
from bot.discord_chat.inbound.downloads import Downloads
from bot.discord_chat.sending.channel_traffic import Pacing
from bot.discord_chat.startup import DiscordAddress, point_at
from bot.ops.metrics import Metrics
from bot.policy.host_facts import NO_HOST, HostFacts
from bot.policy.limits import Limits
from bot.workflow.dispatcher import EditWorkflow, ModelFacts
from bot.workflow.runner import TurnRunner
from conversations.images.image_store import ImageStore
from conversations.store.session_store import SessionStore
from conversations.turn import Turn, TurnState
from mgie_engine.config import Defaults
from mgie_engine.edits import EditRunner
from mgie_engine.serving.service import EditService
from tests.support.discord_server import DiscordServer, PublishedApi
from tests.support.discord_server.people import buttons_of, text_of
from tests.support.discord_server.world import Channel, Message, Person
from tests.support.fakes import EchoEditor, ScriptedEditor

PUBLISHED = PublishedApi.load()
MODEL = ModelFacts("test-model", Defaults(steps=4))
LIMITS = Limits(requests=1000)
AT_ONCE = Pacing(edit_pause_s=0.0, card_after_s=0.0, cards=1000, edits=1000)  # shows every card at once
NO_CARDS = Pacing(cards=0)  # every result is a message of its own


@dataclass
class Room:
    """One channel, two people, one bot."""

    discord: DiscordServer
    bot: EditBot
    store: SessionStore
    images: ImageStore
    runner: TurnRunner
    channel: Channel
    anna: Person
    ben: Person

    async def results(self, asked: Message, count: int = 1) -> list[Message]:
        """The results that answer a message, once there are so many."""
        return await self.discord.wait_for(
            lambda: found if len(found := results_to(self.discord, asked)) >= count else None
        )

    async def result(self, asked: Message) -> Message:
        """The result that answers a message."""
        return (await self.results(asked))[0]

    async def result_of(self, editor: ScriptedEditor, asked: Message) -> Message:
        """The same, where the edit begun next is finished for it."""
        (await editor.started()).finish()
        return await self.result(asked)

    async def answer(self, asked: Message) -> Message:
        """The first message that answers a message, whatever it is."""
        return (await self.discord.wait_for(lambda: self.discord.answers_to(asked)))[0]

    async def turns_end(self) -> None:
        """Wait until no turn is on its way."""
        await self.runner.idle()

    async def turns(self, *states: TurnState) -> tuple[Turn, ...]:
        """All turns in these states, else in any."""
        return await self.store.turns_in(*(states or TurnState))


@asynccontextmanager
async def loopback(**options: object) -> AsyncIterator[DiscordServer]:
    """A server whose every request and answer is judged; what is found fails the test."""
    async with DiscordServer(published=PUBLISHED, **options) as discord:  # type: ignore[arg-type]
        yield discord
    assert not discord.complaints, discord.complaints
    taken = [message for message in discord.world.deleted_by_bot if message.author is not discord.world.bot]
    assert not taken, taken


@asynccontextmanager
async def room(
    folder: Path,
    editor: EditRunner | None = None,
    discord: DiscordServer | None = None,
    *,
    pacing: Pacing = AT_ONCE,
    reads_all: bool = False,
    limits: Limits = LIMITS,
    host: HostFacts = NO_HOST,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock: Callable[[], float] = time.time,
) -> AsyncIterator[Room]:
    """A bot on the files of `folder`, connected to a server of its own or to `discord`.

    `reads_all`: with the message-content intent, and the channel as an edit channel. `sleep`: how the bot
    waits out long rate limits. `clock`: Unix seconds, of the store.
    """
    async with AsyncExitStack() as opened:
        server = discord if discord is not None else await opened.enter_async_context(loopback())
        world = server.world
        channel = next(iter(world.channels.values()), None) or world.add_channel("pictures")
        images = ImageStore(folder / "images")
        address = DiscordAddress(server.api_base, server.gateway_url, (server.host,))
        point_at(address)
        store = await opened.enter_async_context(SessionStore.open(folder / "conversations.db", clock=clock))
        service = await opened.enter_async_context(EditService(editor or EchoEditor()))
        workflow, runner = await opened.enter_async_context(
            running_workflow(store, images, service, limits, host)
        )
        bot = await opened.enter_async_context(
            EditBot(
                workflow,
                Downloads(address.download_rules),
                store,
                message_content=reads_all,
                edit_channels=(channel.id,),
                pacing=pacing,
                guild_ready_timeout_s=0.05,
                sleep=sleep,
            )
        )
        await opened.enter_async_context(_connected(server, bot))
        anna, ben = person(server, "anna"), person(server, "ben")
        yield Room(server, bot, store, images, runner, channel, anna, ben)
        await workflow.drain(0)


@asynccontextmanager
async def _connected(discord: DiscordServer, bot: EditBot) -> AsyncIterator[None]:
    """The bot's connection to the server, ready, and ended at last."""
    async with asyncio.TaskGroup() as group:
        talking = group.create_task(bot.start(discord.token))
        await discord.wait_for(lambda: discord.gateway.connected)
        await bot.wait_until_ready()
        yield
        talking.cancel()


@asynccontextmanager
async def running_workflow(
    store: SessionStore,
    images: ImageStore,
    service: EditService,
    limits: Limits = LIMITS,
    host: HostFacts = NO_HOST,
) -> AsyncIterator[tuple[EditWorkflow, TurnRunner]]:
    """A workflow that tries again at once and does not tell places by itself."""
    metrics = Metrics()
    runner = TurnRunner(store, images, service, metrics, pauses_s=(0, 0, 0), places_every_s=3600)
    workflow = EditWorkflow(
        store, images, service, MODEL, limits=limits, metrics=metrics, runner=runner, host=host
    )
    async with workflow:
        yield workflow, runner


def person(discord: DiscordServer, name: str) -> Person:
    """The person of that name, made on first use."""
    known = (p for p in discord.world.people.values() if p.name == name)
    return next(known, None) or discord.world.add_person(name)


def is_result(message: Message) -> bool:
    """Whether a message is the card of a finished version."""
    return "### ✅" in text_of(message)


def results_to(discord: DiscordServer, asked: Message) -> list[Message]:
    """The results that reply to a message, oldest first."""
    return [m for m in discord.answers_to(asked) if is_result(m)]


def results_in(discord: DiscordServer, channel: Channel) -> list[Message]:
    """All results in a channel, oldest first."""
    return [m for m in discord.messages_of_bot(channel) if is_result(m)]


def turn_of(message: Message) -> str:
    """The turn whose card this is, read from its buttons."""
    found = (re.match(r"e\d+:\w+:(\w+)", b["custom_id"]) for b in buttons_of(message))
    return next(m[1] for m in found if m)
