"""Events about the cells of a grid."""

from dataclasses import dataclass
from typing import ClassVar

from bot.chat.events import Implied, VersionEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class CellPicked(VersionEvent):
    """Make a cell of my finished grid a version, to go on from. Nothing is painted, and nothing counted."""

    implied: ClassVar[Implied] = Implied.NONE

    cell: int  # from 0, row by row
