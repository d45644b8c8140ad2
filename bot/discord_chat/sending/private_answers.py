"""The private answers to accepted edits: each gets the link to the message that shows its edit.

The card may be posted before or after the answer, or only the result. An answer is changed while its
interaction lasts, 15 minutes; after that it keeps the last link.
"""

import logging
from collections import OrderedDict
from dataclasses import dataclass, replace

from bot.chat.replies import Accepted, Card
from bot.discord_chat.errors import REQUEST_ERRORS
from bot.discord_chat.inbound.reply_context import ReplyContext
from bot.discord_chat.responses import Interaction
from bot.discord_chat.ui.rendering import Renderer

REMEMBERED = 500  # newest answers, and edits shown
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Answer:
    interaction: Interaction
    reply: Accepted
    context: ReplyContext


class PrivateAnswers:
    """Knows the newest private answers and where the newest edits are shown."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._answers = OrderedDict[str, _Answer]()  # by turn
        self._shown = OrderedDict[str, Card]()  # by turn: its card, with the key of its message

    def linked(self, reply: Accepted) -> Accepted:
        """The reply, with a link to the message that shows its edit by now."""
        return replace(reply, card=self._shown.get(reply.card.turn_id, reply.card))

    async def sent(self, interaction: Interaction, reply: Accepted, context: ReplyContext) -> None:
        """An accepted edit was answered by this reply; a message that came meanwhile is linked at once."""
        if context.is_private:
            return  # there the answer itself becomes the result
        self._answers[reply.card.turn_id] = _Answer(interaction, reply, context)
        _trim(self._answers)
        newest = self.linked(reply)
        if newest != reply:
            await self._update(newest.card)

    async def shown(self, card: Card, key: str | None) -> None:
        """A message shows the edit now; the result ends it."""
        last = self._shown.get(card.turn_id)
        if key is None or (last is not None and last.key == key and not card.state.is_final):
            return
        self._shown[card.turn_id] = replace(card, key=key, preview=None)
        _trim(self._shown)
        await self._update(self._shown[card.turn_id])

    async def _update(self, card: Card) -> None:
        """Change the answer, if it is there; no matter if Discord no longer takes that."""
        answer = self._answers.get(card.turn_id)
        if answer is None:
            return
        if card.state.is_final:
            del self._answers[card.turn_id]
        outgoing = await self._renderer.reply(replace(answer.reply, card=card), answer.context)
        try:
            await answer.interaction.edit_original_response(**outgoing.to_edit())
        except REQUEST_ERRORS as error:
            log.info("the answer to the edit %s cannot be changed: %s", card.turn_id, error)


def _trim(newest: OrderedDict[str, _Answer] | OrderedDict[str, Card]) -> None:
    while len(newest) > REMEMBERED:
        newest.popitem(last=False)
