"""Events in, replies out: the one way of an edit, whichever chat it came from. Knows no discord, torch or gradio.

    async with EditService(editor) as service, EditWorkflow(store, images, service, about) as workflow:
        workflow.connect(chat)                    # before the first event of that chat
        await workflow.resume(chat.name)          # once the chat can show cards; safe to call again
        reply = await workflow.handle(event)      # None: this event was handled before, say nothing

When `handle` returns Accepted, the turn is on disk: it will be answered exactly once through `Chat.show`,
even if the process is killed at any moment.
"""

from types import TracebackType
from typing import Self

from bot.chat import Chat
from bot.events import Event
from bot.replies import Card, Reply
from conversations.session import Turn


class EditWorkflow:
    """Decides what an event means, keeps the talk, and sees every accepted edit through."""

    async def __aenter__(self) -> Self:
        raise NotImplementedError

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        raise NotImplementedError

    def connect(self, chat: Chat) -> None:
        """Show the cards of channels that begin with `chat.name` through `chat`."""
        raise NotImplementedError

    async def resume(self, chat: str) -> int:
        """Take up every unfinished turn of that chat in the order it was asked; how many there were."""
        raise NotImplementedError

    async def handle(self, event: Event) -> Reply | None:
        """Do what the event asks and say what to answer; None for an event that was handled before.

        Never raises for anything a person can do; such cases are replies with a sentence.
        """
        raise NotImplementedError

    async def picture(self, key: str) -> bytes:
        """The PNG of an ImageStore key, as found on a card."""
        raise NotImplementedError

    async def card(self, turn: Turn) -> Card:
        """The card of a turn as it stands now."""
        raise NotImplementedError

    async def drain(self, within_s: float) -> None:
        """Stop admitting, let running edits finish for so many seconds; the rest stays queued on disk."""
        raise NotImplementedError
