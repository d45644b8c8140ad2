"""Cards where the bot may not post by itself, because only the person has brought it along.

There the one answer of the interaction is the card: it says that the edit is queued, and is changed into the
result. Changing it twice shows it once, so nothing is doubled by a crash. After 15 minutes Discord takes no
more answers; admission keeps clear of that.
"""

from typing import Any

import discord

from bot.chat.interface import ChatGone
from bot.chat.replies import Card, Say
from bot.discord_chat.ids import MessagePlace
from bot.discord_chat.inbound.reply_context import Source
from bot.discord_chat.responses import EXPIRED
from bot.discord_chat.ui.rendering import Drawing

LONGEST_WAIT_S = 600.0  # of the 900 s Discord gives
ORIGINAL: Any = "@original"


async def show_to_visitor(client: discord.Client, drawing: Drawing, card: Card, source: Source) -> str | None:
    """Change the answer into the final card; its key. Cards before that are left out."""
    if not card.state.is_final:
        return None
    if source.token is None:
        raise ChatGone(f"the interaction in {source.channel} has expired")
    assert client.application_id is not None
    hook = discord.Webhook.partial(client.application_id, source.token, client=client)
    drawn = await drawing.card(card, source, Say.NO_REPLIES_HERE())
    try:
        message = await hook.edit_message(ORIGINAL, **drawn.to_edit(), allowed_mentions=drawn.mentions)
    except discord.HTTPException as error:
        if error.code in EXPIRED or error.status == 404:
            raise ChatGone(f"the interaction in {source.channel} is over: {error.text}") from error
        raise
    return str(MessagePlace(source.channel, message.id))
