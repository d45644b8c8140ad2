"""Cards into Discord: one message per state that matters, each result exactly once.

While a turn waits and runs, one card stands in the channel and is edited in place. A result is a message of
its own, posted under the nonce `<turn>-done`: Discord gives the first message back when the same nonce comes
again within minutes, and `already_delivered` looks for it in the channel when more time may have passed. Then
the card is taken away. A turn that failed or was cancelled keeps its card, which says so.
"""

import logging
from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

import discord

from bot.chat.interface import ChatGone, ChatRefused
from bot.chat.replies import Card, CardState, Note
from bot.discord_chat.gateway_metrics import AckTimes
from bot.discord_chat.ids import CHAT, MessagePlace, user_of
from bot.discord_chat.inbound.reply_context import ReplyContext
from bot.discord_chat.own_messages import OwnMessages
from bot.discord_chat.permissions import missing_permissions
from bot.discord_chat.sending.edit_throttle import PAUSE_S, EditThrottle
from bot.discord_chat.sending.notes import NO_MENTIONS, NotePoster, post_in
from bot.discord_chat.sending.permanent_refusals import CLOSED_THREADS, permanent_refusal
from bot.discord_chat.ui.component_ids import is_final_card, is_open_card
from bot.discord_chat.ui.markdown import discord_translator
from bot.discord_chat.ui.previews import Previews
from bot.discord_chat.ui.rendering import Outgoing, Renderer
from bot.discord_chat.user_install import show_in_user_install
from conversations.messages import Message, verbatim
from conversations.request_source import RequestSource
from conversations.session import Turn

OLD_MESSAGE_EDITS = 30046
TOO_LARGE = 40005
SCAN_MESSAGES = 1000  # how far to look for a result after a crash
CLOCKS_DIFFER = timedelta(minutes=1)  # at most, Discord's and ours
LONG_WAIT = timedelta(seconds=60)  # after which the owner is pinged with the result
SMALLEST_LIMIT = 256 * 1024

log = logging.getLogger(__name__)


class DiscordChat:
    """Posts and edits cards; an `async with` block owns the tasks that edit them."""

    name = CHAT

    def __init__(
        self,
        client: discord.Client,
        renderer: Renderer,
        acks: AckTimes,
        own_messages: OwnMessages,
        pause_s: float = PAUSE_S,
    ) -> None:
        """`pause_s`: seconds between two edits of a card."""
        self._client, self._renderer, self._acks = client, renderer, acks
        self._own = own_messages
        self._notes = NotePoster(client, renderer, own_messages)
        self._throttle = EditThrottle(pause_s)
        self._previews = Previews()
        self._earlier: set[str] = set()  # turns of an earlier run of the bot
        self._looked_up: dict[str, str | None] = {}  # by one of these: its card, once looked for

    async def __aenter__(self) -> Self:
        await self._throttle.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
        turn = await self._with_its_card(turn)
        if not card.state.is_final:
            return await self._show_progress(turn, card)
        self._previews.end(turn.id)
        self._looked_up.pop(turn.id, None)
        if card.state is CardState.DONE:  # a message of its own, which no late edit of the card can reach
            self._throttle.stop(turn.id)
            return await self._deliver(turn, card)
        await self._throttle.end(turn.id)
        return await self._show_end(turn, card)

    async def already_delivered(self, turn: Turn) -> str | None:
        """The key of a turn's final card if it is in the channel; deletes an open card left beside it."""
        if turn.source.is_private:
            return None  # showing it again is harmless there
        final, others = None, []
        # A result is posted after it is there: however much was said since the request, the search is short.
        async for message in self._own_messages_since(turn, turn.finished_at or turn.created_at):
            key = str(MessagePlace(message.channel.id, message.id))
            if is_final_card(message, turn.id):
                final = final or key
            elif is_open_card(message, turn.id):
                others.append(key)
        if final:
            await self._own.delete({*others, turn.delivered or final} - {final})
        return final

    async def retract(self, turn: Turn, key: str | None) -> None:
        """Forget an erased turn and delete this message of it."""
        self._previews.end(turn.id)
        self._throttle.stop(turn.id)
        self._looked_up.pop(turn.id, None)
        await self._own.delete([key] if key else [])

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

    # -- queued and running cards -------------------------------------------------------------------------

    async def _show_progress(self, turn: Turn, card: Card) -> str | None:
        context = ReplyContext.of(turn.source)
        with_preview = self._previews.is_due(card, context.channel)
        if turn.delivered is None or with_preview:
            outgoing = await self._renderer.card(card, context, with_preview=with_preview)
            await self._throttle.end(turn.id)
            moment = f"{card.fraction:.0%}" if with_preview else "card"
            place = await self._post(turn, outgoing, nonce=f"{turn.id}-{moment}")
            self._throttle.begin(turn.id)
            if turn.delivered and turn.delivered != str(place):
                await self._own.delete([turn.delivered])
            if turn.id in self._looked_up:
                self._looked_up[turn.id] = str(place)
            return str(place)

        async def send(newest: Card) -> None:
            await self._edit(turn, turn.delivered, newest)

        if not self._previews.has_any(turn.id):  # an edit would have to name the preview's file again
            self._throttle.offer(card, send)
        return turn.delivered

    async def _edit(self, turn: Turn, key: str | None, card: Card) -> bool:
        """Edit a card in place; False when it is gone or can no longer be edited."""
        place = MessagePlace.of(key)
        if place is None:
            return False
        outgoing = await self._renderer.card(card, ReplyContext.of(turn.source))
        message = self._client.get_partial_messageable(place.channel).get_partial_message(place.message)
        try:
            await message.edit(view=outgoing.view, allowed_mentions=NO_MENTIONS)
        except (discord.Forbidden, discord.NotFound):
            return False
        except discord.HTTPException as error:
            if error.code not in (*CLOSED_THREADS, OLD_MESSAGE_EDITS) and not permanent_refusal(error):
                raise
            return False
        return True

    # -- final cards --------------------------------------------------------------------------------------

    async def _deliver(self, turn: Turn, card: Card) -> str:
        """Post the result once, then delete the card."""
        context = ReplyContext.of(turn.source)
        while True:
            outgoing = await self._renderer.card(card, context)
            try:
                place = await self._post(turn, outgoing, nonce=f"{turn.id}-{card.state}")
                break
            except discord.HTTPException as error:
                # The server accepts less than it announced: halve the limit until the file fits.
                too_large = error.code == TOO_LARGE or error.status == 413
                if not too_large or context.file_limit < SMALLEST_LIMIT:
                    raise
                context = replace(context, file_limit=context.file_limit // 2)
        if turn.delivered and turn.delivered != str(place):
            await self._own.delete([turn.delivered])
        return str(place)

    async def _show_end(self, turn: Turn, card: Card) -> str:
        """Show on the card that the edit failed or was cancelled; on a new card if it cannot be edited."""
        if turn.delivered and await self._edit(turn, turn.delivered, card):
            return turn.delivered
        outgoing = await self._renderer.card(card, ReplyContext.of(turn.source))
        try:
            place = await self._post(turn, outgoing, nonce=f"{turn.id}-{card.state}")
        except ChatRefused as refusal:  # even without the picture, as for the words on it: say only why
            text = discord_translator(turn.source.language)(card.status or refusal.message)
            place = await self._post(turn, Outgoing(text), nonce=f"{turn.id}-said")
        if turn.delivered:
            await self._own.delete([turn.delivered])
        return str(place)

    # -- posting ------------------------------------------------------------------------------------------

    async def _post(self, turn: Turn, outgoing: Outgoing, nonce: str) -> MessagePlace:
        """Post in reply to the request; where that is not allowed, in the owner's DMs; else ChatGone."""
        context = ReplyContext.of(turn.source)
        try:
            pinged = user_of(turn.user) if waited_long(turn) else None
            place = await post_in(
                self._client, context, outgoing, nonce, pinged=pinged, is_author=pinged is not None
            )
            self._acks.answered(context.message)
        except discord.Forbidden as error:
            place = await self._post_to_owner(turn, context, outgoing, nonce, error)
        except discord.NotFound as error:
            raise ChatGone(f"channel {context.channel}: {error.text}") from error
        except discord.HTTPException as error:
            if reason := permanent_refusal(error):
                raise ChatRefused(reason) from error
            if error.code not in CLOSED_THREADS:
                raise
            place = await self._post_to_owner(turn, context, outgoing, nonce, error)
        self._own.posted(place)
        return place

    async def _post_to_owner(
        self, turn: Turn, context: ReplyContext, outgoing: Outgoing, nonce: str, cause: discord.HTTPException
    ) -> MessagePlace:
        """Post the card in the owner's DMs, under a note that names what keeps the bot out of the channel."""
        user = user_of(turn.user)
        if user is None:
            raise ChatGone(f"channel {context.channel}: {cause.text}") from cause
        where = verbatim(f"<#{context.channel}>")
        if cause.code in CLOSED_THREADS:
            why = Message("thread_closed", place=where)
        else:
            missing = missing_permissions(self._client, context, files=bool(outgoing.images))
            why = Message("may_not_post", place=where, permissions=missing)
        try:
            dm = await self._client.create_dm(discord.Object(user))
            if turn.delivered is None:
                await dm.send(discord_translator(context.language)(why), nonce=f"{turn.id}-why")
            message = await dm.send(**outgoing.to_send(), nonce=nonce, allowed_mentions=NO_MENTIONS)
        except (discord.Forbidden, discord.NotFound) as error:
            raise ChatGone(f"neither channel {context.channel} nor DMs: {error.text}") from cause
        except discord.HTTPException as error:
            if reason := permanent_refusal(error):
                raise ChatRefused(reason) from cause
            raise
        return MessagePlace(dm.id, message.id)

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


def waited_long(turn: Turn) -> bool:
    """Whether the turn took so long that its owner is pinged."""
    if turn.finished_at is None:
        return False
    return timedelta(seconds=turn.finished_at - turn.created_at) > LONG_WAIT
