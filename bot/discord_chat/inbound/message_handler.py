"""Messages into events: which ones are meant for the bot, and what they ask."""

import re
from dataclasses import dataclass

import discord

from bot.chat.events import EditAsked
from bot.discord_chat.ids import MessagePlace, channel_key, message_event, person_key
from bot.discord_chat.inbound.inbound_images import Photo, photo_of
from bot.discord_chat.inbound.reply_context import DEFAULT_FILE_LIMIT, Source
from bot.discord_chat.ui.layouts import turn_on

_SPOKEN = (discord.MessageType.default, discord.MessageType.reply)


@dataclass(frozen=True, slots=True)
class Heard:
    """A message meant for the bot: its words, the picture that is to be edited, and what it replies to."""

    words: str
    photo: Photo | None
    turn: str | None
    reply_to: str | None


def is_spoken(message: discord.Message) -> bool:
    """Whether a person wrote this."""
    return not (message.author.bot or message.webhook_id) and message.type in _SPOKEN


def is_for_me(message: discord.Message, me: discord.abc.User) -> bool:
    """Whether a person wrote this to the bot: by DM, by mention, or in reply with the @ on."""
    return is_spoken(message) and (message.guild is None or any(u.id == me.id for u in message.mentions))


def replied_to(message: discord.Message) -> discord.Message | None:
    """The message this one replies to, where Discord tells it."""
    reference = message.reference if message.type is discord.MessageType.reply else None
    resolved = reference.resolved if reference else None
    return resolved if isinstance(resolved, discord.Message) else None


def hear(message: discord.Message, me: discord.abc.User) -> Heard:
    """What the message says; a replied-to picture of a person counts as if it were attached."""
    replied = replied_to(message)
    mine = replied is not None and replied.author.id == me.id
    photo = photo_of(message)
    if photo is None and replied is not None and not mine:
        photo = photo_of(replied)
    reference = message.reference if message.type is discord.MessageType.reply else None
    target = reference.message_id if reference else None
    reply_to = MessagePlace(message.channel.id, target) if target else None
    return Heard(
        words=words_of(message, me),
        photo=photo,
        turn=turn_on(replied) if replied and mine else None,
        reply_to=str(reply_to) if reply_to else None,
    )


def edit_asked(message: discord.Message, heard: Heard, picture: bytes | None, source: Source) -> EditAsked:
    """The event of a message; `picture` is the downloaded file."""
    return EditAsked(
        person=person_key(message.author.id),
        channel=channel_key(message.channel.id),
        event_id=message_event(message.id),
        source=source.as_request(),
        text=heard.words,
        picture=picture,
        picture_owner=heard.photo.owner if heard.photo else None,
        message=heard.photo.message if heard.photo else None,
        reply_to=heard.reply_to,
        turn=heard.turn,
    )


def source_of(message: discord.Message, language: str) -> Source:
    """Where the answer to a message goes."""
    guild = message.guild
    limit = guild.filesize_limit if guild else DEFAULT_FILE_LIMIT
    parent = getattr(message.channel, "parent_id", None)
    return Source(message.channel.id, message.id, guild.id if guild else None, limit, language, parent=parent)


def words_of(message: discord.Message, me: discord.abc.User) -> str:
    """The text without the bot's mention, with other people by name."""
    names = {user.id: f"@{user.display_name}" for user in message.mentions if user.id != me.id}
    text = re.sub(r"<@!?(\d+)>", lambda m: names.get(int(m[1]), ""), message.content)
    return " ".join(text.split())
