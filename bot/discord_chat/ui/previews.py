"""When a running card shows a preview: at most twice per edit, and only if no other edit runs in the channel.

A preview is a new card in place of the old one. Changing the pictures of a card that stands is what the
service does not do reliably: a message made of components refuses new attachments on some edits
(discord-api-docs#7529). New messages with pictures always work, so that is how a preview comes.
"""

from bot.chat.replies import Card, CardState

MOMENTS = (0.35, 0.70)  # fractions of an edit; the first update after each may show a preview


class Previews:
    """Counts the previews of every running card."""

    def __init__(self) -> None:
        self._running: dict[str, tuple[int, int]] = {}  # turn → channel, previews shown

    def is_due(self, card: Card, channel: int) -> bool:
        """Whether this update of a card in `channel` is shown with its preview; counts it if so."""
        if card.state is not CardState.RUNNING:
            return False
        _, shown = self._running.setdefault(card.turn_id, (channel, 0))
        alone = sum(where == channel for where, _ in self._running.values()) == 1
        if card.preview is None or not alone or shown >= len(MOMENTS) or card.fraction < MOMENTS[shown]:
            return False
        passed = sum(card.fraction >= moment for moment in MOMENTS)
        self._running[card.turn_id] = (channel, passed)
        return True

    def has_any(self, turn_id: str) -> bool:
        """Whether the card of that turn shows a preview."""
        return self._running.get(turn_id, (0, 0))[1] > 0

    def end(self, turn_id: str) -> None:
        """The turn has ended or was erased."""
        self._running.pop(turn_id, None)
