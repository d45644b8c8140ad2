"""Decide which messages that do not mention the bot are instructions for it.

All but the hint about replies needs the message-content intent: without it Discord sends no text.
"""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import Enum, auto

import discord

from bot.chat.cards import is_question
from bot.chat.events import EditAsked
from bot.discord_chat.ids import CHAT, channel_key, message_event, user_key
from bot.discord_chat.inbound.inbound_images import RecentPictures, has_picture
from bot.discord_chat.inbound.message_content import names_role, replied_to, text_without_mention
from bot.ops.clocks import uptime_s
from bot.policy.limits import Limits
from bot.workflow.intent_filter import Intent, PlainMessage, classify
from bot.workflow.named_cells import last_grid
from bot.workflow.targets import Target, current_version
from bot.workflow.text_commands import is_chatter
from conversations.store.session_store import SessionStore
from conversations.turn import Turn

ANSWERED_WITHIN_S = Limits().head_ttl_s
QUESTION = "💬"  # the reaction by which the bot asks "is this for me?"; the author confirms by clicking it


class Decision(Enum):
    """What to do with a message that does not mention the bot."""

    RUN = auto()
    ASK = auto()
    HINT = auto()  # it replies to the bot without a mention, so its text is hidden
    ROLE_HINT = auto()  # it names the role of the bot, so its text is hidden
    IGNORE = auto()


class MessageFilter:
    """Decides about messages without a mention; `edit_channels` are channel ids set by the operator."""

    def __init__(
        self,
        store: SessionStore,
        edit_channels: Iterable[int],
        *,
        reads_all: bool,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`reads_all`: whether Discord grants the message-content intent. `clock`: Unix seconds."""
        self._store, self._clock = store, clock
        self.reads_all = reads_all
        self.recent = RecentPictures(uptime_s)
        self._edit_channels = frozenset(edit_channels)

    async def is_open(self, channel: object) -> bool:
        """Whether messages without a mention may be instructions in this channel or thread.

        The operator opens channels in the settings, moderators with /admin channel.
        """
        if not self.reads_all:
            return False
        numbers = {getattr(channel, "id", 0), getattr(channel, "parent_id", None) or 0}
        if not self._edit_channels.isdisjoint(numbers):
            return True
        guild = getattr(channel, "guild", None)
        rules = await self._store.servers.settings(f"{CHAT}:{guild.id}" if guild else None)
        return not set(map(channel_key, numbers)).isdisjoint(rules.listening)

    async def decide(self, message: discord.Message, me: discord.abc.User, language: str) -> Decision:
        """What to do with a user's message that neither mentions the bot nor is a DM."""
        replied = replied_to(message)
        if replied is not None and replied.author.id == me.id:
            if self.reads_all:
                return Decision.RUN
            return Decision.HINT if await self._claim_daily_hint(message.author.id) else Decision.IGNORE
        if names_role(message):  # without the intent, else it is addressed to the bot
            return Decision.ROLE_HINT if await self._claim_daily_hint(message.author.id) else Decision.IGNORE
        if has_picture(message) and await self._answers_question(message, me, language):
            return Decision.RUN
        if not await self.is_open(message.channel):
            return Decision.IGNORE
        base = await self._current_version(message)
        user = user_key(message.author.id)
        grid = None if base is None else last_grid(base.session, user)
        plain = PlainMessage(
            text=text_without_mention(message, me),
            has_picture=has_picture(message),
            replies_to_person=message.type is discord.MessageType.reply,
            mentions_others=bool(message.mentions or message.role_mentions or message.mention_everyone),
            head_age_s=self._base_age_s(message, base, grid),
            is_asked=base is not None and _is_asked(base, user),
            results=len(grid.cells) if grid else 0,
            language=language,
        )
        return {Intent.RUN: Decision.RUN, Intent.ASK: Decision.ASK, Intent.IGNORE: Decision.IGNORE}[
            classify(plain)
        ]

    async def _answers_question(self, message: discord.Message, me: discord.abc.User, language: str) -> bool:
        """Whether this is the picture that the bot asked its author for: one without words."""
        if not is_chatter(text_without_mention(message, me), language):
            return False
        user, channel = user_key(message.author.id), channel_key(message.channel.id)
        since = self._clock() - ANSWERED_WITHIN_S
        return await self._store.users.open_words(user, channel, since) is not None

    def _base_age_s(self, message: discord.Message, base: Target | None, grid: Turn | None) -> float | None:
        """Seconds since the author's version, grid or picture here that words may be about, or None."""
        picture_age_s = self.recent.age_s(message.channel.id, message.author.id)
        if base is None:
            return picture_age_s
        moved_at = base.session.heads[user_key(message.author.id)].moved_at
        made_at = (base.turn.finished_at, grid.finished_at if grid else None)
        age_s = self._clock() - max(moved_at, *(moment or 0.0 for moment in made_at))
        return age_s if picture_age_s is None else min(age_s, picture_age_s)

    async def _current_version(self, message: discord.Message) -> Target | None:
        asked = EditAsked(
            user=user_key(message.author.id),
            channel=channel_key(message.channel.id),
            event_id=message_event(message.id),
        )
        return await current_version(self._store, asked)

    async def _claim_daily_hint(self, user: int) -> bool:
        """True once per user per day."""
        today = datetime.fromtimestamp(self._clock(), UTC).date().isoformat()
        return await self._store.users.note_hint(user_key(user), today)


def _is_asked(base: Target, user: str) -> bool:
    """Whether the user's last request ended with the question whether the bot understood it."""
    return is_question(base.session.turn(base.session.heads[user].turn_id).error)
