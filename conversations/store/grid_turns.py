"""Grids that turn out to be one picture. Synchronous; runs on the database thread."""

from sqlite_utils import Database

from conversations.session import Head
from conversations.store.queries import turn, write_head
from conversations.store.sql import value, writing
from conversations.turn import Turn


def make_single(db: Database, turn_id: str) -> Turn:
    """Make an ordinary version of a grid whose cells are all the same picture; returns it.

    It costs one cell, and becomes the current version of its user unless they moved since they asked. Raises
    NoSuchVersion if there is none.
    """
    with writing(db):
        grid = turn(db, turn_id)
        if grid.grid is None:
            return grid
        db.execute(
            "UPDATE charges SET cost = cost / ? WHERE turn = ?", (max(1, len(grid.grid.cells)), turn_id)
        )
        db.execute("UPDATE turns SET grid = NULL WHERE id = ?", (turn_id,))
        latest = "SELECT moved_at FROM heads WHERE session_id = ? AND user = ?"
        moved_at = value(db, latest, grid.session_id, grid.user)
        if moved_at is None or moved_at <= grid.created_at:
            head = Head(turn_id, (), grid.created_at, grid.source.channel)
            write_head(db, grid.session_id, grid.user, head)
    return turn(db, turn_id)
