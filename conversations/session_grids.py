"""Grids and the versions that were picked from them. Pure."""

from conversations.session import EditSession
from conversations.turn import Turn


def picked_from(session: EditSession, grid: Turn) -> list[Turn]:
    """The versions that were picked from a grid."""
    made = {(cell.image, cell.settings) for cell in grid.cells}
    alike = (turn for turn in session.turns.values() if turn.grid is None and turn.user == grid.user)
    return [turn for turn in alike if (turn.image, turn.settings) in made]


def grids_with(session: EditSession, turn: Turn) -> list[Turn]:
    """The grids from which a version was picked."""
    return [grid for grid in session.turns.values() if grid.cells and turn in picked_from(session, grid)]
