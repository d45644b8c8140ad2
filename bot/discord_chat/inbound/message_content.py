"""From messages to events: which messages are addressed to the bot, and what they contain."""

import re
from dataclasses import dataclass

import discord

from bot.chat.events import EditAsked, PictureSource
from bot.discord_chat.ids import MessagePlace, channel_key, message_event, user_key
from bot.discord_chat.inbound.inbound_images import InboundImage, inbound_image_of
from bot.discord_chat.inbound.reply_context import DEFAULT_FILE_LIMIT, ReplyContext
from bot.discord_chat.ui.component_ids import turn_id_of

_USER_MESSAGES = (discord.MessageType.default, discord.MessageType.reply)


@dataclass(frozen=True, slots=True)
class AddressedMessage:
    """A message addressed to the bot: its text, the image to edit, and the message or turn it replies to."""

    words: str
    image: InboundImage | None
    turn: str | None
    reply_to: str | None


def is_from_user(message: discord.Message) -> bool:
    """Whether a user wrote the message."""
    return not (message.author.bot or message.webhook_id) and message.type in _USER_MESSAGES


def is_addressed_to(message: discord.Message, me: discord.abc.User) -> bool:
    """Whether a user addressed the bot: in a DM, by mention, or by a reply with the @ on."""
    return is_from_user(message) and (message.guild is None or any(u.id == me.id for u in message.mentions))


def replied_to(message: discord.Message) -> discord.Message | None:
    """The message this one replies to, if Discord sent it along."""
    reference = message.reference if message.type is discord.MessageType.reply else None
    resolved = reference.resolved if reference else None
    return resolved if isinstance(resolved, discord.Message) else None


def read_message(message: discord.Message, me: discord.abc.User) -> AddressedMessage:
    """Read a message; an image in the message it replies to counts as attached, except on a card."""
    replied = replied_to(message)
    mine = replied is not None and replied.author.id == me.id
    image = inbound_image_of(message)
    if image is None and replied is not None and not mine:
        image = inbound_image_of(replied)
    reference = message.reference if message.type is discord.MessageType.reply else None
    target = reference.message_id if reference else None
    reply_to = MessagePlace(message.channel.id, target) if target else None
    return AddressedMessage(
        words=text_without_mention(message, me),
        image=image,
        turn=turn_id_of(replied) if replied and mine else None,
        reply_to=str(reply_to) if reply_to else None,
    )


def edit_asked(
    message: discord.Message,
    addressed: AddressedMessage,
    picture: PictureSource | None,
    context: ReplyContext,
) -> EditAsked:
    """The event of a message; `picture` downloads its image."""
    return EditAsked(
        user=user_key(message.author.id),
        channel=channel_key(message.channel.id),
        event_id=message_event(message.id),
        source=context.as_request(),
        text=addressed.words,
        picture=picture,
        picture_owner=addressed.image.owner if addressed.image else None,
        message=addressed.image.message if addressed.image else None,
        reply_to=addressed.reply_to,
        turn=addressed.turn,
        is_hidden=addressed.image is not None and addressed.image.file.is_spoiler,
        is_moderator=_is_moderator(message),
    )


def _is_moderator(message: discord.Message) -> bool:
    """Whether its author may decide for others there, as with an interaction."""
    place, author = message.channel, message.author
    if isinstance(place, discord.Thread) and place.parent is None:
        return False  # its permissions are those of a channel that the bot does not see
    if isinstance(author, discord.Member) and isinstance(place, discord.abc.GuildChannel | discord.Thread):
        return place.permissions_for(author).manage_messages
    return message.guild is None


def reply_context_of(message: discord.Message, language: str) -> ReplyContext:
    """Where the answer to a message goes."""
    guild = message.guild
    limit = guild.filesize_limit if guild else DEFAULT_FILE_LIMIT
    parent = getattr(message.channel, "parent_id", None)
    return ReplyContext(
        message.channel.id, message.id, guild.id if guild else None, limit, language, parent=parent
    )


def text_without_mention(message: discord.Message, me: discord.abc.User) -> str:
    """The text without the mention of the bot, with the names of other mentioned users."""
    names = {user.id: f"@{user.display_name}" for user in message.mentions if user.id != me.id}
    text = re.sub(r"<@!?(\d+)>", lambda m: names.get(int(m[1]), ""), message.content)
    return " ".join(text.split())
