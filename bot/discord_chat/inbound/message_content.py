"""From messages to events: which messages are addressed to the bot, and what they contain."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

import discord

from bot.chat.events import EditAsked
from bot.chat.offered_pictures import OfferedPictures, PictureOffer
from bot.discord_chat.errors import REQUEST_ERRORS
from bot.discord_chat.ids import MessagePlace, channel_key, user_key
from bot.discord_chat.inbound.downloads import Downloads
from bot.discord_chat.inbound.inbound_images import offer_in, refused_offer
from bot.discord_chat.inbound.reply_context import DEFAULT_FILE_LIMIT, ReplyContext, is_age_restricted
from bot.discord_chat.own_messages import wrote
from bot.discord_chat.permissions import member_since, role_keys
from bot.discord_chat.ui.component_ids import kept_instruction, question_on, turn_id_of
from conversations.errors import PictureRefused
from conversations.intents.intent import sort_text
from conversations.messages import Message

log = logging.getLogger(__name__)
_USER_MESSAGES = (discord.MessageType.default, discord.MessageType.reply)
Place = (
    discord.abc.Messageable | discord.abc.GuildChannel | discord.Thread | discord.abc.PrivateChannel | None
)


def is_from_user(message: discord.Message) -> bool:
    """Whether a user wrote the message."""
    return not (message.author.bot or message.webhook_id) and message.type in _USER_MESSAGES


def is_addressed_to(message: discord.Message, me: discord.abc.User) -> bool:
    """Whether a user addressed the bot: in a DM, by mention of it or its role, or by a reply with the @."""
    if not is_from_user(message):
        return False
    return message.guild is None or any(u.id == me.id for u in message.mentions) or names_role(message)


def names_role(message: discord.Message) -> bool:
    """Whether a message mentions the role that Discord made for the bot, which looks like its name."""
    role = message.guild.self_role if message.guild else None
    return role is not None and any(named.id == role.id for named in message.role_mentions)


def names_role_only(message: discord.Message, me: discord.abc.User) -> bool:
    """Whether nothing but that role names the bot; Discord then shows the text only with the intent."""
    is_named = message.guild is None or any(user.id == me.id for user in message.mentions)
    return names_role(message) and not is_named


def replied_to(message: discord.Message) -> discord.Message | None:
    """The message this one replies to, if Discord sent it along."""
    reference = message.reference if message.type is discord.MessageType.reply else None
    resolved = reference.resolved if reference else None
    return resolved if isinstance(resolved, discord.Message) else None


@dataclass(frozen=True, slots=True)
class ReadsMessages:
    """Makes events of messages.

    `reads_all`: the bot sees every message, not only those addressed to it; `languages`: of the model.
    """

    client: discord.Client
    downloads: Downloads
    reads_all: bool
    languages: Sequence[str] = ()

    def edit_asked(
        self,
        message: discord.Message,
        context: ReplyContext,
        event_id: str,
        recent: PictureOffer | None = None,
    ) -> EditAsked:
        """The event of a message; `recent`: the picture that its author posted there a moment ago."""
        replied = replied_to(message)
        mine = replied is not None and wrote(self.client, replied)
        reference = message.reference if message.type is discord.MessageType.reply else None
        target = reference.message_id if reference else None
        text = text_without_mention(message, self.client.user)
        return EditAsked(
            user=user_key(message.author.id),
            channel=channel_key(message.channel.id),
            event_id=event_id,
            source=context.as_request(),
            start=self.thread_start(message.channel),
            is_moderator=_is_moderator(message),
            may_post=may_attach(message),
            roles=role_keys(message.author),
            account_since=message.author.created_at.timestamp(),
            member_since=member_since(message.author),
            is_counted=True,
            asked_at=(message.edited_at or message.created_at).timestamp(),
            text=text,
            said=sort_text(text, context.language, self.languages),
            question=question_on(replied) if replied and mine else None,
            kept_words=kept_instruction(replied) if mine else "",
            own=offer_in(message, self.downloads),
            turn=turn_id_of(replied) if replied and mine else None,
            reply_to=str(MessagePlace(message.channel.id, target)) if target else None,
            replied=None if mine else self._replied(message),
            recent=recent,
        )

    def _replied(self, message: discord.Message) -> PictureOffer | None:
        """The pictures of the message replied to; a refusal where Discord shows the bot nothing of it."""
        replied = replied_to(message)
        if replied is None:
            return None
        if self._is_shown_empty(replied):
            return refused_offer(Message("message_hidden"))
        return offer_in(replied, self.downloads)

    def asked_about(self, question: discord.Message | None) -> PictureOffer | None:
        """The pictures that a message pointed at by its reply; `question`: how the bot answered it."""
        asked = question.reference if question else None
        if asked is None or asked.message_id is None:
            return None
        channel, number = self.client.get_partial_messageable(asked.channel_id), asked.message_id

        async def find() -> OfferedPictures | None:
            try:
                message = await channel.fetch_message(number)
            except REQUEST_ERRORS:
                return None
            offer = self._replied(message)
            return await offer.find() if offer else None

        return PictureOffer(find)

    def thread_start(self, place: Place) -> PictureOffer | None:
        """What the message holds that a thread hangs on, fetched when it is needed: pictures or a result."""
        starter = MessagePlace.of(_starter_of(place))
        if starter is None:
            return None
        at = starter

        async def find() -> OfferedPictures | None:
            channel = self.client.get_partial_messageable(at.channel)
            try:
                message = await channel.fetch_message(at.message)
            except REQUEST_ERRORS:
                return None  # deleted, or the thread hangs on no message
            if self._is_shown_empty(message):
                raise PictureRefused("a hidden message", Message("message_hidden"))
            if wrote(self.client, message) and (turn := turn_id_of(message)):
                return OfferedPictures((), str(at), shows=turn)
            offer = offer_in(message, self.downloads)
            return await offer.find() if offer else None

        return PictureOffer(find, str(starter))

    def _is_shown_empty(self, message: discord.Message) -> bool:
        """Whether Discord hides what a message holds, as it does without the message-content intent."""
        is_seen = self.reads_all or wrote(self.client, message)
        parts = (message.content, message.attachments, message.embeds, message.components, message.stickers)
        return not is_seen and not any(parts) and not message.message_snapshots


def _starter_of(place: object) -> str | None:
    """The key of the message that a thread hangs on: it has the thread's number. None for other channels.

    The first message of a forum post is in the post itself.
    """
    if not isinstance(place, discord.Thread):
        return None
    is_post = isinstance(place.parent, discord.ForumChannel)
    return str(MessagePlace(place.id if is_post else place.parent_id, place.id))


async def know_author(message: discord.Message) -> None:
    """Let the author of a message be a member, where Discord sent none along, as with what is fetched."""
    if message.guild is None or isinstance(message.author, discord.Member):
        return
    try:
        message.author = await message.guild.fetch_member(message.author.id)
    except REQUEST_ERRORS as error:
        log.info("could not fetch member %s: %s", message.author.id, error)


def may_attach(message: discord.Message) -> bool:
    """Whether its author may post pictures there; where Discord does not say, who wrote may."""
    allowed = _permissions(message)
    return allowed is None or allowed.attach_files


def _is_moderator(message: discord.Message) -> bool:
    """Whether its author may decide for others there, as with an interaction."""
    allowed = _permissions(message)
    return message.guild is None if allowed is None else allowed.manage_messages


def _permissions(message: discord.Message) -> discord.Permissions | None:
    """Those of its author there; None in a DM, and where Discord does not say."""
    place, author = message.channel, message.author
    if isinstance(place, discord.Thread) and place.parent is None:
        return None  # its permissions are those of a channel that the bot does not see
    if isinstance(author, discord.Member) and isinstance(place, discord.abc.GuildChannel | discord.Thread):
        return place.permissions_for(author)
    return None


def reply_context_of(message: discord.Message, language: str) -> ReplyContext:
    """Where the answer to a message goes."""
    guild = message.guild
    limit = guild.filesize_limit if guild else DEFAULT_FILE_LIMIT
    parent = getattr(message.channel, "parent_id", None)
    return ReplyContext(
        message.channel.id,
        message.id,
        guild.id if guild else None,
        limit,
        language,
        parent=parent,
        is_age_restricted=is_age_restricted(message.channel),
    )


def text_without_mention(message: discord.Message, me: discord.abc.User | None) -> str:
    """The text without the mention of the bot or its role, with the names of other mentioned users."""
    names = {user.id: f"@{user.display_name}" for user in message.mentions if not me or user.id != me.id}
    text = re.sub(r"<@!?(\d+)>", lambda m: names.get(int(m[1]), ""), message.content)
    role = message.guild.self_role if message.guild else None
    return " ".join((text.replace(role.mention, "") if role else text).split())
