"""When a running card shows a preview: at most twice an edit, and only where it runs alone.

A preview is a new card in place of the old one. Changing the pictures of a card that stands is what the
service does not do reliably: a message made of components refuses new attachments on some edits
(discord-api-docs#7529). New messages with pictures always work, so that is how a preview comes.
"""

from bot.chat.replies import Card, CardState

MOMENTS = (0.35, 0.70)  # of the way; the first progress after each of them may bring a preview


class Previews:
    """Remembers which cards run where, and how many previews each had."""

    def __init__(self) -> None:
        self._running: dict[str, tuple[int, int]] = {}  # turn → channel, previews shown

    def is_due(self, card: Card, channel: int) -> bool:
        """Whether this progress of a card in `channel` should be shown with its preview; counts it if so."""
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
        """Whether the card of that turn stands there with a preview."""
        return self._running.get(turn_id, (0, 0))[1] > 0

    def end(self, turn_id: str) -> None:
        """That turn is over, or was erased."""
        self._running.pop(turn_id, None)
