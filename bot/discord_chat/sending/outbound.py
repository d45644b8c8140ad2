"""Cards into Discord: one message per state that matters, each result exactly once.

While a turn waits and runs, one card stands in the channel and is edited in place. A result is a message of
its own, posted under the nonce `<turn>-done`: Discord gives the first message back when the same nonce comes
again within minutes, and `already_delivered` looks for it in the channel when more time may have passed. Then
the card is taken away. A turn that failed or was cancelled keeps its card, which says so.
"""

import logging
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import discord

from bot.chat.interface import ChatGone
from bot.chat.replies import Card, CardState, Say
from bot.discord_chat.gateway_metrics import AckTimes
from bot.discord_chat.ids import CHAT, MessagePlace, user_of
from bot.discord_chat.inbound.reply_context import Source
from bot.discord_chat.permissions import missing_permissions
from bot.discord_chat.responses import take_away
from bot.discord_chat.sending.edit_throttle import PAUSE_S, Pace
from bot.discord_chat.ui.layouts import ends_card_of, turn_on, walk
from bot.discord_chat.ui.previews import Previews
from bot.discord_chat.ui.rendering import Drawing, Outgoing
from bot.discord_chat.user_install import show_to_visitor
from conversations.session import Turn

ARCHIVED_THREAD, OLD_MESSAGE_EDITS = 50083, 30046
TOO_LARGE = 40005
SCAN_MESSAGES = 300  # how far to look for a result after a crash
LONG_WAIT = timedelta(seconds=60)  # after which the owner is pinged with the result
SMALLEST_LIMIT = 256 * 1024

log = logging.getLogger(__name__)
NOBODY = discord.AllowedMentions.none()


class DiscordChat:
    """Shows the workflow's cards; an `async with` block owns its progress tasks."""

    name = CHAT

    def __init__(
        self, client: discord.Client, drawing: Drawing, acks: AckTimes, pause_s: float = PAUSE_S
    ) -> None:
        """`pause_s`: seconds between two edits of a card."""
        self._client, self._drawing, self._acks = client, drawing, acks
        self._pace = Pace(pause_s)
        self._previews = Previews()
        self._began_at = time.time()
        self._looked_up: dict[str, str | None] = {}  # by turn of an earlier run: its card, once looked for

    async def __aenter__(self) -> Self:
        await self._pace.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pace.__aexit__(kind, error, trace)

    # -- the Chat protocol --------------------------------------------------------------------------------

    @property
    def is_connected(self) -> bool:
        """Whether the gateway is up and told us where we are."""
        return self._client.is_ready()

    async def show(self, turn: Turn, card: Card) -> str | None:
        """Post or edit the card of a turn; see bot.chat.interface.Chat."""
        source = Source.of(turn.source)
        if source.is_private:
            return await show_to_visitor(self._client, self._drawing, card, source)
        turn = await self._with_its_card(turn)
        if not card.state.is_final:
            return await self._show_progress(turn, card)
        self._previews.end(turn.id)
        self._looked_up.pop(turn.id, None)
        if card.state is CardState.DONE:  # a message of its own, which no late edit of the card can reach
            self._pace.stop(turn.id)
            return await self._deliver(turn, card)
        await self._pace.end(turn.id)
        return await self._show_end(turn, card)

    async def already_delivered(self, turn: Turn) -> str | None:
        """The key of the final card of a turn if it is in the channel; takes away a card left beside it."""
        if turn.source.is_private:
            return None  # showing it again is harmless there
        final, others = None, []
        async for message in self._own_messages_since(turn):
            key = str(MessagePlace(message.channel.id, message.id))
            if is_final_card(message, turn.id):
                final = final or key
            elif turn_on(message) == turn.id:
                others.append(key)
        if final:
            await take_away(self._client, others)
        return final

    async def retract(self, turn: Turn, key: str | None) -> None:
        """Forget an erased turn, and delete this message of it."""
        self._previews.end(turn.id)
        self._pace.stop(turn.id)
        self._looked_up.pop(turn.id, None)
        await take_away(self._client, [key] if key else [])

    async def _with_its_card(self, turn: Turn) -> Turn:
        """The turn, knowing its card even if the bot was killed between posting and remembering it.

        If it was killed between posting a card and taking away the one before, the older ones go now.
        """
        if turn.created_at >= self._began_at:
            return turn
        if turn.id not in self._looked_up:
            cards = [
                str(MessagePlace(message.channel.id, message.id))
                async for message in self._own_messages_since(turn)
                if turn_on(message) == turn.id and not is_final_card(message, turn.id)
            ]
            await take_away(self._client, cards[:-1])
            self._looked_up[turn.id] = cards[-1] if cards else None
        return replace(turn, delivered=self._looked_up[turn.id] or turn.delivered)

    # -- while it waits and runs --------------------------------------------------------------------------

    async def _show_progress(self, turn: Turn, card: Card) -> str | None:
        source = Source.of(turn.source)
        with_preview = self._previews.is_due(card, source.channel)
        if turn.delivered is None or with_preview:
            drawn = await self._drawing.card(card, source, with_preview=with_preview)
            await self._pace.end(turn.id)
            moment = f"{card.fraction:.0%}" if with_preview else "card"
            place = await self._post(turn, drawn, nonce=f"{turn.id}-{moment}")
            self._pace.begin(turn.id)
            if turn.delivered and turn.delivered != str(place):
                await take_away(self._client, [turn.delivered])
            if turn.id in self._looked_up:
                self._looked_up[turn.id] = str(place)
            return str(place)

        async def send(newest: Card) -> None:
            await self._edit(turn, turn.delivered, newest)

        if not self._previews.has_any(turn.id):  # an edit would have to name the preview's file again
            self._pace.offer(card, send)
        return turn.delivered

    async def _edit(self, turn: Turn, key: str | None, card: Card) -> bool:
        """Edit a card where it stands; False when it is gone or can no longer be edited there."""
        place = MessagePlace.of(key)
        if place is None:
            return False
        drawn = await self._drawing.card(card, Source.of(turn.source))
        message = self._client.get_partial_messageable(place.channel).get_partial_message(place.message)
        try:
            await message.edit(view=drawn.view, allowed_mentions=NOBODY)
        except (discord.Forbidden, discord.NotFound):
            return False
        except discord.HTTPException as error:
            if error.code not in (ARCHIVED_THREAD, OLD_MESSAGE_EDITS):
                raise
            return False
        return True

    # -- when it is over ----------------------------------------------------------------------------------

    async def _deliver(self, turn: Turn, card: Card) -> str:
        """Post the result once, then take the card away."""
        source = Source.of(turn.source)
        while True:
            drawn = await self._drawing.card(card, source)
            try:
                place = await self._post(turn, drawn, nonce=f"{turn.id}-{card.state}")
                break
            except discord.HTTPException as error:
                # The server's true limit was smaller than it said: halve until it fits.
                too_large = error.code == TOO_LARGE or error.status == 413
                if not too_large or source.file_limit < SMALLEST_LIMIT:
                    raise
                source = replace(source, file_limit=source.file_limit // 2)
        if turn.delivered and turn.delivered != str(place):
            await take_away(self._client, [turn.delivered])
        return str(place)

    async def _show_end(self, turn: Turn, card: Card) -> str:
        """Say on the card that nothing came of it; on a new one if the card cannot be edited."""
        if turn.delivered and await self._edit(turn, turn.delivered, card):
            return turn.delivered
        drawn = await self._drawing.card(card, Source.of(turn.source))
        place = await self._post(turn, drawn, nonce=f"{turn.id}-{card.state}")
        if turn.delivered:
            await take_away(self._client, [turn.delivered])
        return str(place)

    # -- posting ------------------------------------------------------------------------------------------

    async def _post(self, turn: Turn, drawn: Outgoing, nonce: str) -> MessagePlace:
        """Post in reply to the request; where that is not allowed, in the owner's DMs; else ChatGone."""
        source = Source.of(turn.source)
        try:
            place = await self._post_in(source, drawn, nonce, ping=waited_long(turn))
            self._acks.answered(source.message)
            return place
        except discord.Forbidden as error:
            return await self._post_to_owner(turn, source, drawn, nonce, error)
        except discord.NotFound as error:
            raise ChatGone(f"channel {source.channel}: {error.text}") from error

    async def _post_in(self, source: Source, drawn: Outgoing, nonce: str, *, ping: bool) -> MessagePlace:
        channel = self._client.get_partial_messageable(source.channel)
        arguments: dict[str, Any] = {"nonce": nonce, "allowed_mentions": NOBODY}
        if source.message:
            reference = discord.MessageReference(
                message_id=source.message,
                channel_id=source.channel,
                guild_id=source.guild,
                fail_if_not_exists=False,
            )
            try:
                message = await channel.send(
                    **drawn.to_send(), **arguments, reference=reference, mention_author=ping
                )
                return MessagePlace(source.channel, message.id)
            except discord.Forbidden:
                # Replying needs the right to read the history; posting does not.
                log.info("may not reply in %s; posting without", source.channel)
        message = await channel.send(**drawn.to_send(), **arguments)
        return MessagePlace(source.channel, message.id)

    async def _post_to_owner(
        self, turn: Turn, source: Source, drawn: Outgoing, nonce: str, cause: discord.Forbidden
    ) -> MessagePlace:
        """Tell the owner privately what the bot may not do there, and show the card under it."""
        user = user_of(turn.user)
        if user is None:
            raise ChatGone(f"channel {source.channel}: {cause.text}") from cause
        missing = missing_permissions(self._client, source, files=bool(drawn.shots))
        try:
            dm = await self._client.create_dm(discord.Object(user))
            if turn.delivered is None:
                where = f"<#{source.channel}>"
                await dm.send(Say.MAY_NOT_POST(place=where, permissions=missing), nonce=f"{turn.id}-why")
            message = await dm.send(**drawn.to_send(), nonce=nonce, allowed_mentions=NOBODY)
        except (discord.Forbidden, discord.NotFound) as error:
            raise ChatGone(f"neither channel {source.channel} nor DMs: {error.text}") from cause
        return MessagePlace(dm.id, message.id)

    async def _own_messages_since(self, turn: Turn) -> AsyncIterator[discord.Message]:
        """The bot's messages where this turn may have been shown, since it was asked."""
        source, card = Source.of(turn.source), MessagePlace.of(turn.delivered)
        asked_at = datetime.fromtimestamp(turn.created_at, UTC) - timedelta(minutes=1)
        since = discord.Object(source.message) if source.message else asked_at
        me = self._client.user
        for channel in dict.fromkeys([source.channel, *([card.channel] if card else [])]):
            start = since if channel == source.channel else asked_at
            history = self._client.get_partial_messageable(channel).history(
                limit=SCAN_MESSAGES, after=start, oldest_first=True
            )
            try:
                async for message in history:
                    if me is not None and message.author.id == me.id:
                        yield message
            except (discord.Forbidden, discord.NotFound):
                continue


def waited_long(turn: Turn) -> bool:
    """Whether the owner may have looked away meanwhile, and deserves a ping."""
    if turn.finished_at is None:
        return False
    return timedelta(seconds=turn.finished_at - turn.created_at) > LONG_WAIT


def is_final_card(message: discord.Message, turn_id: str) -> bool:
    """Whether this message of ours is the final card of that turn: a last line of it says so."""
    texts = (c.content for c in walk(message.components) if isinstance(c, discord.TextDisplay))
    return any(ends_card_of(turn_id, text.splitlines()[-1]) for text in texts if text)
