"""What goes on now: a user's unfinished turns, the queue, the model; and cancelling a turn."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bot.chat.events import CancelAsked, Event, HelpAsked, InfoAsked, QueueAsked
from bot.chat.replies import Card, Note, Queue, Reply, duration, how_it_goes
from bot.policy.host_facts import NO_HOST, HostFacts
from bot.policy.limits import Limits
from bot.policy.share_texts import share_line
from bot.workflow.runner import TurnRunner
from bot.workflow.targets import Context
from conversations.messages import Message, joined
from conversations.servers import ServerSettings
from conversations.shares import share_limits
from conversations.store.session_store import SessionStore
from mgie_engine.config import Defaults
from mgie_engine.edits import DeviceState
from mgie_engine.serving.service import EditService
from mgie_engine.serving.stats import ServiceStats, waiting_time
from mgie_engine.strengths import StrengthTable


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the workflow needs to know of the model behind the service."""

    name: str
    defaults: Defaults
    strengths: StrengthTable | None = None  # what was found out about it, for auto

    @property
    def offers_auto(self) -> bool:
        """Whether auto ever chooses other strengths than the model's own."""
        return self.strengths is not None and bool(self.strengths.rules)


@dataclass(eq=False)
class Status:
    """Answers what happens now, and cancels."""

    store: SessionStore
    service: EditService
    runner: TurnRunner
    model: ModelFacts
    limits: Limits
    host: HostFacts = NO_HOST

    def handlers(self) -> dict[type[Event], Callable[[Context[Any]], Awaitable[Reply]]]:
        """Who answers which event."""
        return {
            CancelAsked: self.cancel,
            QueueAsked: self.queue,
            InfoAsked: self.info,
            HelpAsked: self.help,
        }

    async def cancel(self, context: Context[CancelAsked]) -> Note:
        """Stop the turn that is named, else the user's newest one in the channel."""
        asked = context.event
        if context.target is not None:
            turn = context.target.turn
        else:
            mine = self.runner.active.of_user(asked.user)
            here = [active.turn for active in mine if active.session.channel == asked.channel]
            if not here:
                return Note(Message("nothing_to_cancel"))
            turn = here[-1]
        done = await self.runner.cancel(turn.id)
        if done:
            return Note(Message("stopped", version=turn.label))
        return Note(Message("already_over", version=turn.label))

    async def queue(self, context: Context[QueueAsked]) -> Queue:
        """The user's unfinished turns, and how busy it is."""
        cards = tuple(active.card() for active in self.runner.active.of_user(context.event.user))
        stats = self.service.stats()
        wait_s = _wait_s(stats)
        busy = {"waiting": stats.waiting, "running": stats.running}
        lines = [*map(_queue_line, cards), Message("your_queue", **busy)]
        if not cards:
            lines = [Message("nothing_queued", **busy)]
        if wait_s:
            lines.append(Message("new_would_wait", duration=duration(wait_s)))
        lines += await self._shares(context)
        return Queue(joined("\n", *lines), cards, stats.waiting, stats.running, wait_s)

    async def _shares(self, context: Context[QueueAsked]) -> list[Message]:
        """What is left of the user's own limits here."""
        asked, member_day = context.event, context.settings.per_day
        server, rules = asked.source.server, self.limits.shares.changed(context.settings.shares)
        limits = share_limits(rules, member_day, asked.user, server, asked.roles)
        mine = [limit for limit in limits if limit.user is not None]
        return [share_line(use) for use in await self.store.shares.uses(mine)] if mine else []

    async def info(self, context: Context[InfoAsked]) -> Note:
        """The model, its state and devices, its licence and the limits."""
        stats, limits = self.service.stats(), self.limits
        text = Message(
            "info",
            model=self.model.name,
            state=Message("ready") if stats.ready else Message("loading"),
            slots=stats.slots,
            done=stats.done,
            waiting=limits.waiting_per_person,
            chars=limits.instruction_chars,
        )
        devices = [_device_line(device) for device in stats.devices] if len(stats.devices) > 1 else []
        public = public_lines(context.settings, self.host)
        return Note(joined("\n", text, *devices, Message("licence"), *public))

    async def help(self, context: Context[HelpAsked]) -> Note:
        """How to use the bot in this chat."""
        abilities = [self.limits.abilities] if self.limits.abilities else []
        return Note(joined("\n", Message("help"), *abilities, Message(f"help.{context.event.chat}")))


def public_lines(settings: ServerSettings, host: HostFacts) -> tuple[Message, ...]:
    """What the bot says about itself to everybody: news, that AI made the results, and where to turn."""
    news = (Message("announcement", text=settings.announcement),) if settings.announcement else ()
    return (*news, Message("ai_marked"), *host.law)


def _queue_line(card: Card) -> Message:
    return Message("my_turn", version=card.version, words=card.instruction, status=how_it_goes(card))


def _device_line(device: DeviceState) -> Message:
    if device.ready:
        return Message("device_ready", device=device.name, running=device.running, slots=device.slots)
    if device.fault:
        return Message("device_failed", device=device.name)
    return Message("device_loading", device=device.name)


def _wait_s(stats: ServiceStats) -> float | None:
    """Seconds until a new edit would start, if those that run are half done; None until one was measured."""
    mean = stats.seconds_per_edit
    return (
        None if mean is None else waiting_time(stats.waiting, [mean / 2] * stats.running, stats.slots, mean)
    )
