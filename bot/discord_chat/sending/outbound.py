"""Cards into Discord: one message per state that matters, each result exactly once.

A turn that is over within seconds gets no card, only a first sign and its result; nor does a turn in a
channel that is full of results. Else one card stands in the channel, is edited in place, and becomes the
result as long as it is new and near. A result without such a card is posted under the nonce `<turn>-done`:
Discord gives the first message back when the same nonce comes again within minutes, and `already_delivered`
looks for it in the channel when more time may have passed. A card left behind is taken away then. A turn that
failed or was cancelled keeps its card, which says so.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

import discord

from bot.chat.interface import ChatRefused
from bot.chat.replies import Card, CardState, Note
from bot.discord_chat.ids import CHAT, MessagePlace
from bot.discord_chat.inbound.reply_context import ReplyContext
from bot.discord_chat.own_messages import OwnMessages
from bot.discord_chat.sending.announcing import announce
from bot.discord_chat.sending.channel_traffic import EDIT, POST, ChannelTraffic, Pacing
from bot.discord_chat.sending.edit_throttle import EditThrottle
from bot.discord_chat.sending.first_signs import FirstSigns
from bot.discord_chat.sending.notes import NotePoster
from bot.discord_chat.sending.posting import TOO_LARGE, Poster, waited_long
from bot.discord_chat.sending.shown_messages import ShownMessages
from bot.discord_chat.sending.spoilers import hide_posted
from bot.discord_chat.sending.threads import PictureThreads
from bot.discord_chat.ui.component_ids import is_final_card, is_open_card
from bot.discord_chat.ui.markdown import discord_translator
from bot.discord_chat.ui.previews import Previews
from bot.discord_chat.ui.rendering import Outgoing, Renderer
from bot.discord_chat.user_install import show_in_user_install
from conversations.request_source import RequestSource
from conversations.turn import Turn

SCAN_MESSAGES = 1000  # how far to look for a result after a crash
CLOCKS_DIFFER = timedelta(minutes=1)  # at most, Discord's and ours
NEAR = 20  # a card with more messages after it has scrolled away: its result is posted
SMALLEST_LIMIT = 256 * 1024


class DiscordChat:
    """Posts and edits cards; an `async with` block owns the tasks that edit them."""

    name = CHAT

    def __init__(
        self,
        client: discord.Client,
        renderer: Renderer,
        poster: Poster,
        signs: FirstSigns,
        traffic: ChannelTraffic,
        own_messages: OwnMessages,
        shown: ShownMessages,
        pacing: Pacing,
        threads: PictureThreads,
    ) -> None:
        self._client, self._renderer, self._poster, self._threads = client, renderer, poster, threads
        self._signs, self._traffic, self._own, self._shown = signs, traffic, own_messages, shown
        self._notes = NotePoster(client, renderer, own_messages)
        self._card_after_s = pacing.card_after_s
        self._throttle = EditThrottle(pacing.edit_pause_s)
        self._previews = Previews()
        self._cards: dict[str, int] = {}  # turn → messages of its channel when this process posted its card
        self._earlier: set[str] = set()  # turns of an earlier run of the bot
        self._looked_up: dict[str, str | None] = {}  # by one of these: its card, once looked for

    async def __aenter__(self) -> Self:
        await self._throttle.__aenter__()
        await self._signs.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._signs.__aexit__(kind, error, trace)
        await self._throttle.__aexit__(kind, error, trace)

    def expect(self, turns: Iterable[str]) -> None:
        """Look for cards of these turns: an earlier run of the bot may have posted them."""
        self._earlier.update(turns)

    # -- the Chat protocol --------------------------------------------------------------------------------

    @property
    def is_connected(self) -> bool:
        """Whether the gateway session is ready."""
        return self._client.is_ready()

    async def show(self, turn: Turn, card: Card) -> str | None:
        """Post or edit the card of a turn; see bot.chat.interface.Chat."""
        context = ReplyContext.of(turn.source)
        if context.is_private:
            return await show_in_user_install(self._client, self._renderer, card, context)
        key = await self._show(turn, card, context)
        self._shown.shown(card, key)
        if card.state is CardState.DONE:
            await self._threads.open(turn, key)
        return key

    async def _show(self, turn: Turn, card: Card, context: ReplyContext) -> str | None:
        turn = await self._with_its_card(turn)
        if not card.state.is_final:
            self._signs.begin(turn.id, context.channel)
            return await self._show_progress(turn, card, context)
        is_near = self._is_near(turn)
        under_way = self._forget(turn.id)
        if card.state is CardState.DONE:
            # An edit of the card that is under way could reach it after the result.
            replaces = is_near and under_way is None and not waited_long(turn)
            return await self._deliver(turn, card, replaces=replaces)
        if under_way is not None:
            await asyncio.gather(under_way, return_exceptions=True)
        return await self._show_end(turn, card)

    async def already_delivered(self, turn: Turn) -> str | None:
        """The key of a turn's final card if it is in the channel; deletes an open card left beside it."""
        if turn.source.is_private:
            return None  # showing it again is harmless there
        if await self._is_delivered_in_card(turn):
            await self._threads.open(turn, turn.delivered)
            return turn.delivered
        final, others = None, []
        # A result is posted after it is there: however much was said since the request, the search is short.
        async for message in self._own_messages_since(turn, turn.finished_at or turn.created_at):
            key = str(MessagePlace(message.channel.id, message.id))
            if is_final_card(message, turn.id):
                final = final or key
            elif is_open_card(message, turn.id):
                others.append(key)
        if final:
            await self._threads.open(turn, final)
            await self._own.delete({*others, turn.delivered or final} - {final})
        return final

    async def _is_delivered_in_card(self, turn: Turn) -> bool:
        """Whether the card of the turn became its final card."""
        if (place := MessagePlace.of(turn.delivered)) is None:
            return False
        channel = self._client.get_partial_messageable(place.channel)
        try:
            card = await channel.fetch_message(place.message)
        except (discord.Forbidden, discord.NotFound):
            return False
        return self._own.wrote(card) and is_final_card(card, turn.id)

    async def retract(self, turn: Turn, key: str | None) -> None:
        """Forget an erased turn and delete this message of it."""
        self._forget(turn.id)
        await self._own.delete([key] if key else [])

    def _forget(self, turn_id: str) -> asyncio.Task[None] | None:
        """The turn has ended: show no more progress. Return the task that still sends some, if any."""
        self._previews.end(turn_id)
        self._signs.end(turn_id)
        self._cards.pop(turn_id, None)
        self._looked_up.pop(turn_id, None)
        return self._throttle.stop(turn_id)

    async def _with_its_card(self, turn: Turn) -> Turn:
        """The turn, knowing its card even if the bot was killed between posting and remembering it.

        If it was killed between posting a card and taking away the one before, the older ones go now.
        """
        if turn.id not in self._earlier:
            return turn
        if turn.id not in self._looked_up:
            cards = [
                str(MessagePlace(message.channel.id, message.id))
                async for message in self._own_messages_since(turn, turn.created_at)
                if is_open_card(message, turn.id)
            ]
            await self._own.delete(cards[:-1])
            self._looked_up[turn.id] = cards[-1] if cards else None
        return replace(turn, delivered=self._looked_up[turn.id] or turn.delivered)

    async def post(self, source: RequestSource, note: Note, nonce: str, *, again: bool = False) -> str | None:
        """Post a question to a user or news for them; see bot.chat.interface.Chat."""
        return await self._notes.post(source, note, nonce, again=again)

    async def delete(self, keys: Collection[str]) -> None:
        """Delete these messages if the bot wrote them."""
        await self._own.delete(keys)

    async def hide(self, keys: Collection[str]) -> int:
        """Put the pictures of these messages behind spoilers if the bot wrote them."""
        return await hide_posted(self._client, keys)

    @property
    def servers(self) -> Collection[str]:
        """The keys of the servers that the bot is in."""
        return tuple(f"{CHAT}:{guild.id}" for guild in self._client.guilds if not guild.unavailable)

    async def announce(self, server: str, channel: str | None, text: str, nonce: str) -> None:
        """Post an announcement of the operator; see bot.chat.interface.Chat."""
        await announce(self._client, server, channel, text, nonce)

    # -- queued and running cards -------------------------------------------------------------------------

    async def _show_progress(self, turn: Turn, card: Card, context: ReplyContext) -> str | None:
        with_preview = self._previews.is_due(card, context.channel)
        if turn.delivered is None or with_preview:
            return await self._post_card(turn, card, context, with_preview=with_preview)
        place = MessagePlace.of(turn.delivered)
        if place is None or self._previews.has_any(turn.id):  # an edit would have to send the preview again
            return turn.delivered

        async def send(newest: Card) -> None:
            with self._traffic.taking(place.channel, EDIT):
                await self._edit(turn, place, newest)

        self._throttle.offer(card, send, lambda: self._traffic.has_room(place.channel, EDIT))
        return turn.delivered

    async def _post_card(
        self, turn: Turn, card: Card, context: ReplyContext, *, with_preview: bool
    ) -> str | None:
        """Post a card, in place of the one that stands there; where that may wait, show only a sign."""
        is_due = time.time() - turn.created_at >= self._card_after_s
        if not is_due or not self._traffic.has_room(context.channel, POST):
            if turn.delivered is None:
                self._signs.show(turn.id, context)
            return turn.delivered
        with self._traffic.taking(context.channel, POST):
            outgoing = await self._renderer.card(card, context, with_preview=with_preview)
            await self._throttle.end(turn.id)
            moment = f"{card.fraction:.0%}" if with_preview else "card"
            place = await self._poster.post(turn, outgoing, nonce=f"{turn.id}-{moment}")
        self._throttle.begin(turn.id)
        self._cards[turn.id] = self._traffic.messages(place.channel)
        if turn.delivered and turn.delivered != str(place):
            await self._own.delete([turn.delivered])
        if turn.id in self._looked_up:
            self._looked_up[turn.id] = str(place)
        return str(place)

    async def _edit(self, turn: Turn, place: MessagePlace, card: Card) -> bool:
        """Edit a card in place; False when it is gone or can no longer be edited."""
        outgoing = await self._renderer.card(card, ReplyContext.of(turn.source))
        return await self._poster.edit(place, outgoing.view)

    def _is_near(self, turn: Turn) -> bool:
        """Whether the card that this process posted is still among the newest messages of its channel."""
        place = MessagePlace.of(turn.delivered)
        if place is None or turn.id not in self._cards:
            return False
        return self._traffic.messages(place.channel) - self._cards[turn.id] <= NEAR

    # -- final cards --------------------------------------------------------------------------------------

    async def _deliver(self, turn: Turn, card: Card, *, replaces: bool) -> str:
        """Show the result once: in the card's place if that `replaces` it, else as a message of its own."""
        context = ReplyContext.of(turn.source)
        card_place = MessagePlace.of(turn.delivered)
        while True:
            outgoing = await self._renderer.card(card, context)
            try:
                if replaces and card_place and await self._poster.replace(card_place, outgoing):
                    return str(card_place)
                place = await self._poster.post(turn, outgoing, nonce=f"{turn.id}-{card.state}")
                break
            except discord.HTTPException as error:
                # The server accepts less than it announced: halve the limit until the file fits.
                too_large = error.code == TOO_LARGE or error.status == 413
                if not too_large or context.file_limit < SMALLEST_LIMIT:
                    raise
                context = replace(context, file_limit=context.file_limit // 2)
        if card_place and card_place != place:
            await self._own.delete([str(card_place)])
        return str(place)

    async def _show_end(self, turn: Turn, card: Card) -> str:
        """Show on the card that the edit failed or was cancelled; on a new card if it cannot be edited."""
        card_place = MessagePlace.of(turn.delivered)
        if card_place and await self._edit(turn, card_place, card):
            return str(card_place)
        outgoing = await self._renderer.card(card, ReplyContext.of(turn.source))
        try:
            place = await self._poster.post(turn, outgoing, nonce=f"{turn.id}-{card.state}")
        except ChatRefused as refusal:  # even without the picture, as for the words on it: say only why
            text = discord_translator(turn.source.language)(card.status or refusal.message)
            place = await self._poster.post(turn, Outgoing(text), nonce=f"{turn.id}-said")
        if card_place:
            await self._own.delete([str(card_place)])
        return str(place)

    async def _own_messages_since(self, turn: Turn, began_at: float) -> AsyncIterator[discord.Message]:
        """The bot's messages since `began_at` (Unix seconds), in every channel that may hold its card."""
        context, card = ReplyContext.of(turn.source), MessagePlace.of(turn.delivered)
        asked_at = datetime.fromtimestamp(began_at, UTC) - CLOCKS_DIFFER
        is_first = context.message is not None and began_at == turn.created_at
        since = discord.Object(context.message or 0) if is_first else asked_at
        for channel in dict.fromkeys([context.channel, *([card.channel] if card else [])]):
            start = since if channel == context.channel else asked_at
            history = self._client.get_partial_messageable(channel).history(
                limit=SCAN_MESSAGES, after=start, oldest_first=True
            )
            try:
                async for message in history:
                    if self._own.wrote(message):
                        yield message
            except (discord.Forbidden, discord.NotFound):
                continue
