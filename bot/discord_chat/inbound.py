"""Messages into events: which ones are meant for the bot, and what they ask."""

import re
from dataclasses import dataclass

import discord

from bot.discord_chat.downloads import first_picture
from bot.discord_chat.keys import MessagePlace, channel_key, message_event, person_key
from bot.discord_chat.source import DEFAULT_FILE_LIMIT, Source
from bot.discord_chat.views import turn_on
from bot.events import EditAsked

_SPOKEN = (discord.MessageType.default, discord.MessageType.reply)


@dataclass(frozen=True, slots=True)
class Heard:
    """A message meant for the bot: its words, the file that is to be edited, and what it replies to."""

    words: str
    file: discord.Attachment | None
    file_message: int | None  # the message that holds `file`
    from_turn: str | None
    reply_to: str | None


def is_for_me(message: discord.Message, me: discord.abc.User) -> bool:
    """Whether a person wrote this to the bot: by DM, by mention, or in reply with the @ on."""
    if message.author.bot or message.webhook_id or message.type not in _SPOKEN:
        return False
    return message.guild is None or any(user.id == me.id for user in message.mentions)


def hear(message: discord.Message, me: discord.abc.User) -> Heard:
    """What the message says; a replied-to picture of a person counts as if it were attached."""
    reference = message.reference if message.type is discord.MessageType.reply else None
    resolved = reference.resolved if reference else None
    replied = resolved if isinstance(resolved, discord.Message) else None
    mine = replied is not None and replied.author.id == me.id
    file, holder = _picture_of(message), message
    if file is None and replied is not None and not mine:
        file, holder = _picture_of(replied), replied
    target = reference.message_id if reference else None
    reply_to = MessagePlace(message.channel.id, target) if target else None
    return Heard(
        words=words_of(message, me),
        file=file,
        file_message=holder.id if file else None,
        from_turn=turn_on(replied) if replied and mine else None,
        reply_to=str(reply_to) if reply_to else None,
    )


def edit_asked(message: discord.Message, heard: Heard, picture: bytes | None) -> EditAsked:
    """The event of a message; `picture` is the downloaded file."""
    place = MessagePlace(message.channel.id, heard.file_message) if heard.file_message else None
    return EditAsked(
        person=person_key(message.author.id),
        channel=channel_key(message.channel.id),
        event_id=message_event(message.id),
        source=source_of(message).as_json(),
        text=heard.words,
        picture=picture,
        message=str(place) if place else None,
        reply_to=heard.reply_to,
        from_turn=heard.from_turn,
    )


def source_of(message: discord.Message) -> Source:
    """Where the answer to a message goes."""
    guild = message.guild
    limit = guild.filesize_limit if guild else DEFAULT_FILE_LIMIT
    return Source(message.channel.id, message.id, guild.id if guild else None, limit)


def words_of(message: discord.Message, me: discord.abc.User) -> str:
    """The text without the bot's mention, with other people by name."""
    names = {user.id: f"@{user.display_name}" for user in message.mentions if user.id != me.id}
    text = re.sub(r"<@!?(\d+)>", lambda m: names.get(int(m[1]), ""), message.content)
    return " ".join(text.split())


def _picture_of(message: discord.Message) -> discord.Attachment | None:
    number = first_picture([(a.filename, a.content_type) for a in message.attachments])
    return None if number is None else message.attachments[number]
