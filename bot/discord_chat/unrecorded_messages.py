"""Finds messages that an earlier run of the bot posted and did not come to record, and records them now.

Each was announced in the database before it was posted. Without this, erasing a user would miss it.
"""

import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import discord

from bot.discord_chat.errors import REQUEST_ERRORS
from bot.discord_chat.ids import CHAT, MessagePlace, channel_of
from bot.discord_chat.own_messages import OwnMessages
from bot.discord_chat.ui.component_ids import button_ids, shows_pictures
from conversations.store.posted_messages import PostedMessages, Posting

SCAN_MESSAGES = 500  # how many to look at for each posting
CLOCKS_DIFFER = timedelta(minutes=1)  # at most, Discord's and ours
POSTED_WITHIN = timedelta(minutes=15)  # of the beginning, with uploads, rate limits and retries
log = logging.getLogger(__name__)


async def record_earlier(client: discord.Client, stored: PostedMessages, own: OwnMessages) -> None:
    """Record what earlier runs posted; what shows an erased turn is on the list of deletions then.

    Each posting is looked for around its own time, the newest first, and once: it ends with that.
    """
    found = set[MessagePlace]()
    for posting in reversed(await stored.postings(CHAT)):
        if posting.id in own.begun:
            continue
        try:
            async for message in _around(client, posting):
                await _record(message, posting, stored, own, found)
        except (discord.Forbidden, discord.NotFound):
            pass  # nothing there can be found or deleted
        except REQUEST_ERRORS as error:
            log.info("could not look for messages in %s: %s", posting.channel, error)
            continue
        await stored.end_posting(posting.id)


def _around(client: discord.Client, posting: Posting) -> AsyncIterator[discord.Message]:
    place = client.get_partial_messageable(channel_of(posting.channel) or 0)
    at = datetime.fromtimestamp(posting.at, UTC)
    after, before = at - CLOCKS_DIFFER, at + POSTED_WITHIN
    return place.history(limit=SCAN_MESSAGES, after=after, before=before, oldest_first=True)


async def _record(
    message: discord.Message,
    posting: Posting,
    stored: PostedMessages,
    own: OwnMessages,
    found: set[MessagePlace],
) -> None:
    """Record a message of the bot that may be the one begun: by its buttons, else by its pictures.

    `found`: those recorded here, which other postings may have begun just as well.
    """
    place = MessagePlace(message.channel.id, message.id)
    if not own.wrote(message) or own.has_posted(place):
        return
    if place not in found and await stored.is_recorded(str(place)):
        return
    about = {button.turn for button in button_ids(message)}
    if about & {*posting.turns} or (not about and shows_pictures(message)):
        found.add(place)
        await stored.record(str(place), posting.turns)
