"""What is asked of grids: of which edit one is made, and a cell of a finished one as a version."""

from dataclasses import asdict, dataclass, replace

from bot.chat.cards import card_of
from bot.chat.events import GridAsked
from bot.chat.grid_events import CellPicked
from bot.chat.replies import Accepted, Note, Reply, ShownVersion
from bot.policy.checks import is_in
from bot.workflow.runner import TurnRunner
from bot.workflow.targets import Context, Target
from conversations.messages import Message
from conversations.session import EditSession
from conversations.session_grids import picked_from
from conversations.session_threads import answered_in
from conversations.settings import MadeCell, SettingsOverride
from conversations.store.session_store import SessionStore
from conversations.turn import Turn, TurnDraft, TurnState
from conversations.variations import varied_id


def grid_draft(asked: GridAsked, target: Target) -> TurnDraft | Note:
    """The turn of a grid: `text` upon the version meant, else the edit that made that version."""
    turn, session, words = target.turn, target.session, asked.text.strip()
    if words:
        return session.ask(asked.user, words, parent=turn.id, source=asked.source)
    if turn.parent_id is None:
        return Note(Message("no_words"))
    draft = session.ask(
        asked.user,
        turn.instruction,
        parent=turn.parent_id,
        reading=turn.reading or turn.expressive,
        override=SettingsOverride(**asdict(turn.settings)) if turn.settings else turn.override,
        source=asked.source,
        mask=turn.mask,
    )
    return replace(draft, varied_id=varied_id(turn))


@dataclass(frozen=True, slots=True)
class CellPicks:
    """Makes versions of picked cells."""

    store: SessionStore
    runner: TurnRunner

    async def pick(self, context: Context[CellPicked]) -> Reply:
        """Show the cell as a version, the user's current one; the same one if it was picked before.

        PictureMissing if the picture was deleted, RequestRefused if it was barred since.
        """
        asked, target = context.event, context.target
        if target is None or not 0 <= asked.cell < len(target.turn.cells):
            return Note(Message("no_such_cell"))
        grid, session, cell = target.turn, target.session, target.turn.cells[asked.cell]
        png = await self.runner.pictures.file(cell.image)
        await self.runner.checks.refuse_barred(grid, png)
        if known := _picked_before(session, grid, cell):
            return await self._go_to(asked, session, known)
        draft = TurnDraft(
            session.id,
            session.nearest_alive(session.turn(grid.parent_id or "")).id,
            asked.user,
            grid.instruction,
            grid.reading,
            grid.override,
            cell.settings,
            answered_in(session, asked.source, with_threads=is_in(asked, context.settings.threads)),
            is_hidden=grid.is_hidden,
            mask=grid.mask,
            state=TurnState.DELIVERING,
            image=cell.image,
            expressive=grid.expressive,
            changed=cell.changed,
            varied_id=grid.varied_id,
            is_exact=grid.is_exact,
        )
        turn = await self.store.add_turn(draft, asked_at=asked.asked_at)
        active = self.runner.begin(turn, session.add(turn))
        return Accepted(Message("picked", version=turn.label), active.card())

    async def _go_to(self, asked: CellPicked, session: EditSession, turn: Turn) -> Reply:
        moved = session.go_to(asked.user, turn)
        head = replace(moved.heads[asked.user], channel=asked.channel)
        await self.store.set_head(moved.id, asked.user, head, asked.asked_at)
        return ShownVersion(Message("now_at", version=turn.label), card_of(turn, moved))


def _picked_before(session: EditSession, grid: Turn, cell: MadeCell) -> Turn | None:
    return next((turn for turn in picked_from(session, grid) if turn.settings == cell.settings), None)
