"""A bot to be killed: `python -m tests.support.killed_bot FOLDER COUNT` answers COUNT edits.

Its chat is the file `messages`, its memory of what people were promised the file `promised`; a line that is
there was written before the kill. Every life hears the same events from the start, as after a replay.
"""

import asyncio
import os
import sys
from pathlib import Path

from bot.chat.replies import Accepted, Card
from conversations.turn import Turn
from mgie_engine.edits import EditRequest, EditResult, Report
from tests.support.fakes import EchoEditor, a_picture, echo
from tests.support.workflow_room import PaperChat, workflow_room


class Mill(EchoEditor):
    """Two slots, a few milliseconds an edit."""

    def __init__(self) -> None:
        super().__init__(slots=2)

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        """Grind, then give the picture back."""
        await asyncio.sleep(0.004)
        return echo(request)


class FileChat(PaperChat):
    """Posts by appending a line, and knows nothing of nonces: posting twice would be seen."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._messages = folder / "messages"

    async def show(self, turn: Turn, card: Card) -> str | None:
        """Append a final card."""
        if not card.state.is_final:
            return None
        append(self._messages, f"{turn.id} {card.state}")
        return f"m-{turn.id}"

    async def already_delivered(self, turn: Turn) -> str | None:
        """Read the file."""
        lines = self._messages.read_text().splitlines() if self._messages.exists() else []
        return f"m-{turn.id}" if any(line.split()[0] == turn.id for line in lines) else None


def append(path: Path, line: str) -> None:
    """One line in one write, so that a kill leaves all of it or nothing."""
    handle = os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600)
    os.write(handle, f"{line}\n".encode())
    os.close(handle)


async def live(folder: Path, count: int) -> None:
    """One life: take up what is owed, hear all events, answer them all."""
    async with workflow_room(folder, Mill(), FileChat(folder)) as d:
        await d.workflow.resume("paper")
        append(folder / "lives", "begun")
        for number in range(count):
            user, picture = f"p{number % 8}", a_picture() if number % 3 == 0 else None
            event = d.asked(f"make ball {number} red", user, picture=picture, event_id=f"paper:{number}")
            reply = await d.workflow.handle(event)
            if isinstance(reply, Accepted):
                append(folder / "promised", reply.card.turn_id)
            await asyncio.sleep(0.002)
        await d.idle()
    append(folder / "lives", "ended")


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), int(sys.argv[2])))
