"""Send replies: to a message, or to an interaction that was acknowledged."""

import io
import logging
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import discord

from bot.chat.replies import Accepted, Files, ForModerators, Note, Reacted, Reply, ShownVersion
from bot.discord_chat.errors import REQUEST_ERRORS
from bot.discord_chat.ids import channel_of
from bot.discord_chat.inbound.message_content import may_attach
from bot.discord_chat.inbound.reply_context import DEFAULT_FILE_LIMIT, ReplyContext, is_age_restricted
from bot.discord_chat.own_messages import OwnMessages
from bot.discord_chat.sending.reports import post_report
from bot.discord_chat.sending.showcase import post_copy
from bot.discord_chat.ui.markdown import discord_translator
from bot.discord_chat.ui.rendering import Outgoing, Renderer
from bot.i18n.catalog import Translate
from conversations.messages import Message

EXPIRED = (10015, 10062, 50027)  # unknown webhook, unknown interaction, invalid token
FILES_AT_ONCE = 2  # with the usual limit of 10 MiB each, within the 25 MiB of one request
Interaction = discord.Interaction[Any]
log = logging.getLogger(__name__)


def reply_context_of_interaction(interaction: Interaction, language: str) -> ReplyContext:
    """Where the cards of an interaction go: into its channel, in reply to no message.

    Where only the user has installed the bot, they go into the answer of the interaction.
    """
    limit = interaction.filesize_limit or DEFAULT_FILE_LIMIT
    parent = getattr(interaction.channel, "parent_id", None)
    context = ReplyContext(
        interaction.channel_id or 0,
        None,
        interaction.guild_id,
        limit,
        language,
        parent=parent,
        is_age_restricted=is_age_restricted(interaction.channel),
    )
    if not is_user_install_only(interaction):
        return context
    expires_at = interaction.expires_at.timestamp()
    return replace(context, token=interaction.token, token_expires_at=expires_at)


def is_user_install_only(interaction: Interaction) -> bool:
    """Whether only the user, not the server, has installed the bot, so that it may not post by itself."""
    in_own_dm = interaction.guild_id is None and interaction.context.dm_channel
    return not in_own_dm and not interaction.is_guild_integration()


async def answer_interaction(
    interaction: Interaction,
    reply: Reply | None,
    renderer: Renderer,
    context: ReplyContext,
    own_messages: OwnMessages,
) -> None:
    """Replace "thinking…" by the reply; send a DM when the interaction's token has expired."""
    if reply is None:
        await interaction.delete_original_response()
        return
    said = interaction.user.id, interaction.created_at
    if isinstance(reply, ForModerators):
        send = partial(post_report, interaction.client, renderer, reply, context, f"r{interaction.id}")
        report = await own_messages.post(reply, channel_of(reply.to) or 0, *said, send)
        reply = Note(reply.text if report else Message("reported"))
    if isinstance(reply, ShownVersion) and reply.to is not None:
        send_copy = partial(post_copy, interaction.client, renderer, reply, context, f"s{interaction.id}")
        copy = await own_messages.post(reply, channel_of(reply.to) or 0, *said, send_copy)
        reply = Note(copy if isinstance(copy, Message) else reply.note)
    translate = discord_translator(context.language)
    outgoing = await renderer.reply(reply, context)
    if is_public(reply, context):
        show = partial(_post_publicly, interaction, outgoing)
        if await own_messages.post(reply, interaction.channel_id or 0, *said, show):
            if isinstance(reply, ShownVersion):
                await interaction.delete_original_response()
                return
            outgoing = Outgoing(translate(Message("question_posted")))
    try:
        if isinstance(reply, Files):
            await _send_files(interaction, reply, translate)
            return
        await interaction.edit_original_response(**outgoing.to_edit(), allowed_mentions=outgoing.mentions)
    except discord.HTTPException as error:
        if error.code not in EXPIRED:
            raise
        if not isinstance(reply, Accepted):  # an accepted edit shows up by itself
            await _send_dm(interaction.user, Outgoing(translate(Message("too_late"))))


def is_public(reply: Reply, context: ReplyContext) -> bool:
    """Whether everybody in the channel should see it, and the bot may post there."""
    return isinstance(reply, ShownVersion | Note) and not reply.private and not context.is_private


async def _post_publicly(interaction: Interaction, outgoing: Outgoing) -> discord.Message | None:
    """Show it to the channel; None where the bot may not."""
    channel = interaction.client.get_partial_messageable(interaction.channel_id or 0)
    try:
        posted: discord.Message = await channel.send(
            **outgoing.to_send(), nonce=f"i{interaction.id}", allowed_mentions=outgoing.mentions
        )
    except (discord.Forbidden, discord.NotFound):
        return None
    return posted


async def _send_files(interaction: Interaction, reply: Files, translate: Translate) -> None:
    """Send the files to the user alone, two at a time, each made when the ones before were sent."""
    sent, files = 0, list[discord.File]()

    async def send() -> None:
        nonlocal sent
        if sent == 0:
            await interaction.edit_original_response(content=translate(reply.text), attachments=files)
        else:
            await interaction.followup.send(files=files, ephemeral=True)
        sent += len(files)
        files.clear()

    async for data in reply.zips:
        files.append(discord.File(io.BytesIO(data), f"mgie-{sent + len(files) + 1}.zip"))
        if len(files) == FILES_AT_ONCE:
            await send()
    if files:
        await send()


async def answer_message(
    message: discord.Message,
    reply: Reply | None,
    renderer: Renderer,
    context: ReplyContext,
    own_messages: OwnMessages,
) -> None:
    """Reply to a message once, and once more each time it was reworded.

    An accepted edit is answered by its card, in the channel.

    Pictures for a user who may not attach files there go to their DMs.
    """
    if isinstance(reply, Reacted) and reply.emoji:
        await react(message, reply.emoji)
    if isinstance(reply, Accepted) and reply.note.code == "queued_in_thread":
        reply = Note(reply.note)  # its card is not to be seen here
    if reply is None or isinstance(reply, Accepted | Reacted):
        return
    outgoing, asked_at = await renderer.reply(reply, context), message.edited_at or message.created_at
    if outgoing.images and not may_attach(message):
        if (posted := await _send_dm(message.author, outgoing)) is not None:
            await own_messages.record(posted, reply, message.author.id, asked_at)
            return
        outgoing = await renderer.reply(Note(Message("user_may_not_post")), context)
    show = partial(_post_in_reply, message, outgoing)
    await own_messages.post(reply, message.channel.id, message.author.id, asked_at, show)


async def _post_in_reply(message: discord.Message, outgoing: Outgoing) -> discord.Message | None:
    """Reply to a message; in the DMs of its author where the bot may not."""
    try:
        reference = message.to_reference(fail_if_not_exists=False)
        return await message.channel.send(
            **outgoing.to_send(),
            nonce=_nonce_of(message),
            allowed_mentions=outgoing.mentions,
            reference=reference,
        )
    except discord.Forbidden:
        return await _send_dm(message.author, outgoing)


def _nonce_of(message: discord.Message) -> str:
    """At most 25 characters, as Discord takes them; the same for one wording of a message alone."""
    reworded = message.edited_at - message.created_at if message.edited_at else timedelta()
    return f"m{message.id:x}-{reworded // timedelta(milliseconds=1) % 16**6:x}"


async def react(message: discord.Message, emoji: str) -> None:
    """React to a message, where the bot may."""
    try:
        await message.add_reaction(emoji)
    except REQUEST_ERRORS as error:
        log.info("could not react to message %s: %s", message.id, error)


async def _send_dm(user: discord.abc.User, outgoing: Outgoing) -> discord.Message | None:
    """Send a DM as a last resort; does nothing if the user accepts none."""
    try:
        message: discord.Message = await user.send(**outgoing.to_send())  # type: ignore[attr-defined]
    except REQUEST_ERRORS as error:
        log.info("could not reach %s by DM: %s", user.id, error)
        return None
    return message
