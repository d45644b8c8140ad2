"""Cards where only the user has installed the bot, so that it may not post by itself.

There the one answer of the interaction is the card: it says that the edit is queued, and is changed into the
result. Changing it twice shows it once, so nothing is doubled by a crash. After 15 minutes Discord takes no
more answers; admission keeps clear of that.
"""

from typing import Any

import discord

from bot.chat.interface import ChatGone, ChatRefused
from bot.chat.replies import Card
from bot.discord_chat.ids import MessagePlace
from bot.discord_chat.inbound.reply_context import ReplyContext
from bot.discord_chat.responses import EXPIRED
from bot.discord_chat.sending.permanent_refusals import permanent_refusal
from bot.discord_chat.ui.rendering import Renderer
from conversations.messages import Message

MAX_WAIT_S = 600.0  # of the 900 s Discord gives
ORIGINAL: Any = "@original"


async def show_in_user_install(
    client: discord.Client, renderer: Renderer, card: Card, context: ReplyContext
) -> str | None:
    """Replace the answer by the final card and return its key; earlier cards are not shown."""
    if not card.state.is_final:
        return None
    if context.token is None:
        raise ChatGone(f"the interaction in {context.channel} has expired")
    assert client.application_id is not None
    hook = discord.Webhook.partial(client.application_id, context.token, client=client)
    outgoing = await renderer.card(card, context, Message("no_replies_here"))
    try:
        message = await hook.edit_message(ORIGINAL, **outgoing.to_edit(), allowed_mentions=outgoing.mentions)
    except discord.HTTPException as error:
        if error.code in EXPIRED or error.status == 404:
            raise ChatGone(f"the interaction in {context.channel} is over: {error.text}") from error
        if reason := permanent_refusal(error):
            raise ChatRefused(reason) from error
        raise
    return str(MessagePlace(context.channel, message.id))
