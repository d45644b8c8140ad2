"""Replies back to the gesture they answer: on a message, or on an interaction that was deferred."""

import logging

import discord

from bot.discord_chat.drawing import Drawing, Outgoing
from bot.discord_chat.source import DEFAULT_FILE_LIMIT, Source
from bot.replies import Accepted, Reply, Say

EXPIRED = (10015, 10062, 50027)  # unknown webhook, unknown interaction, invalid token
log = logging.getLogger(__name__)


def source_of_interaction(interaction: discord.Interaction) -> Source:
    """Where the cards of what an interaction asks for go: its channel, in reply to nothing."""
    limit = interaction.filesize_limit or DEFAULT_FILE_LIMIT
    return Source(interaction.channel_id or 0, None, interaction.guild_id, limit)


async def acknowledge(interaction: discord.Interaction) -> bool:
    """Tell Discord within its 3 s that an answer will come; False when it is too late or already done.

    Too late means that the person was told of a failure: then nothing may be done in their name.
    """
    try:
        await interaction.response.defer(ephemeral=True, thinking=True)
    except (discord.HTTPException, discord.InteractionResponded, OSError) as error:
        log.warning("could not acknowledge interaction %s: %s", interaction.id, error)
        return False
    return True


async def answer_interaction(interaction: discord.Interaction, reply: Reply | None, drawing: Drawing) -> None:
    """Put the reply where "thinking…" stands; by DM when Discord no longer takes it."""
    if reply is None:
        await interaction.delete_original_response()
        return
    drawn = await drawing.reply(reply, source_of_interaction(interaction))
    try:
        await interaction.edit_original_response(**drawn.to_edit())
    except discord.HTTPException as error:
        if error.code not in EXPIRED:
            raise
        if not isinstance(reply, Accepted):  # an accepted edit shows up by itself
            await _tell_by_dm(interaction.user, Outgoing(Say.TOO_LATE()))


async def answer_message(
    message: discord.Message, reply: Reply | None, drawing: Drawing, source: Source
) -> None:
    """Reply to a message, once: its own id is the nonce. Accepted edits answer by their card."""
    if reply is None or isinstance(reply, Accepted):
        return
    drawn = await drawing.reply(reply, source)
    arguments = {
        **drawn.to_send(),
        "nonce": f"m{message.id}",
        "allowed_mentions": discord.AllowedMentions.none(),
    }
    try:
        await message.channel.send(**arguments, reference=message.to_reference(fail_if_not_exists=False))
    except discord.Forbidden:
        await _tell_by_dm(message.author, drawn)


async def _tell_by_dm(user: discord.abc.User, drawn: Outgoing) -> None:
    """A last way to reach somebody; fine if they do not take DMs."""
    try:
        await user.send(**drawn.to_send())  # type: ignore[attr-defined]
    except (discord.HTTPException, OSError) as error:
        log.info("could not reach %s by DM: %s", user.id, error)
