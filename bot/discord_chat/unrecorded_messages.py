"""Finds messages that an earlier run of the bot posted and did not come to record, and records them now.

Each was announced in the database before it was posted. Without this, erasing a user would miss it.
"""

import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import discord

from bot.discord_chat.errors import REQUEST_ERRORS
from bot.discord_chat.ids import CHAT, MessagePlace, channel_of
from bot.discord_chat.own_messages import OwnMessages
from bot.discord_chat.ui.component_ids import button_ids
from conversations.store.posted_messages import PostedMessages, Posting

SCAN_MESSAGES = 1000  # how far to look for them in a channel
CLOCKS_DIFFER = timedelta(minutes=1)  # at most, Discord's and ours
log = logging.getLogger(__name__)


async def record_earlier(client: discord.Client, stored: PostedMessages, own: OwnMessages) -> None:
    """Record what earlier runs posted; what shows an erased turn is on the list of deletions then."""
    by_channel: dict[str, list[Posting]] = defaultdict(list)
    for posting in await stored.postings(CHAT):
        if posting.id not in own.begun:
            by_channel[posting.channel].append(posting)
    for channel, begun in by_channel.items():
        try:
            async for message in _since(client, channel, begun[0].at):
                await _record(message, begun, stored, own)
        except (discord.Forbidden, discord.NotFound):
            pass  # nothing there can be found or deleted
        except REQUEST_ERRORS as error:
            log.info("could not look for messages in %s: %s", channel, error)
            continue
        for posting in begun:
            await stored.end_posting(posting.id)


def _since(client: discord.Client, channel: str, at: float) -> AsyncIterator[discord.Message]:
    place = client.get_partial_messageable(channel_of(channel) or 0)
    after = datetime.fromtimestamp(at, UTC) - CLOCKS_DIFFER
    return place.history(limit=SCAN_MESSAGES, after=after, oldest_first=True)


async def _record(
    message: discord.Message, begun: Sequence[Posting], stored: PostedMessages, own: OwnMessages
) -> None:
    """Record a message of the bot that may be one of those begun: by its buttons, else by its pictures."""
    place = MessagePlace(message.channel.id, message.id)
    if not own.wrote(message) or own.has_posted(place) or await stored.is_recorded(str(place)):
        return
    about = {button.turn for button in button_ids(message)}
    for posting in begun:
        if about & {*posting.turns} or (not about and message.attachments):
            await stored.record(str(place), posting.turns)
