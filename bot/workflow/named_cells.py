"""Cells of grids that are named in words: after four results, "the second one" is the second of them."""

from bot.chat.events import EditAsked, Event, MoveAsked, VariationAsked, origin
from bot.chat.grid_events import CellPicked
from bot.chat.replies import Reply
from conversations.intents.sorted_text import SortedText
from conversations.session import EditSession
from conversations.session_grids import picked_from
from conversations.store.session_store import SessionStore
from conversations.turn import Turn


async def cell_named(
    store: SessionStore, asked: EditAsked, said: SortedText | None, read: Event | Reply
) -> CellPicked | None:
    """The pick of the cell that a text names, which was `read` as something else; None if it names none.

    That is a cell of the grid that is replied to, whoever made it, or of the user's last grid, also after one
    was picked.
    """
    place = _place(asked, said, read)
    grid = await _grid(store, asked) if place else None
    if place is None or grid is None or not 0 < place <= len(grid.cells):
        return None
    return CellPicked(**origin(asked), turn=grid.id, cell=place - 1)


def _place(asked: EditAsked, said: SortedText | None, read: Event | Reply) -> int | None:
    """The place that a text names, from 1; None where it names a version or none."""
    if isinstance(read, MoveAsked) and read.place is not None:
        return read.place
    if isinstance(read, VariationAsked):  # "noch eins" is one more, not the first
        return None
    return said.place if said and asked.own is None else None


async def _grid(store: SessionStore, asked: EditAsked) -> Turn | None:
    if asked.turn is None:
        session = await store.session_for_channel(asked.channel, asked.user)
    else:
        session = await store.session((await store.turn(asked.turn)).session_id)
    if session is None:
        return None
    if asked.turn and session.turn(asked.turn).grid:
        return session.turn(asked.turn)
    return last_grid(session, asked.user)


def last_grid(session: EditSession, user: str) -> Turn | None:
    """The newest grid of a user who went nowhere since, except to what was picked from it."""
    grids = [turn for turn in session.turns.values() if turn.cells and turn.user == user]
    if not grids:
        return None
    grid, head = max(grids, key=lambda turn: turn.number), session.heads.get(user)
    if head is None or (head.moved_at <= grid.created_at and session.turn(head.turn_id).number < grid.number):
        return grid
    return grid if session.head_of(user) in picked_from(session, grid) else None
