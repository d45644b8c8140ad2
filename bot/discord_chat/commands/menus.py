"""The entries in the menu of a message. discord.py registers five at most; these are five."""

from typing import TYPE_CHECKING, Any

from discord import app_commands

if TYPE_CHECKING:
    from bot.discord_chat.ui.component_handler import Presses


def message_menus(presses: "Presses") -> list[app_commands.ContextMenu]:
    """One menu entry per thing to do with a message."""
    entries: dict[str, Any] = {
        "Edit this image": presses.edit_image,
        "Refine from here": presses.refine_from_here,
        "Edit details": presses.details,
        "Cancel or delete edit": presses.cancel_or_delete,
        "Report edit": presses.report,
    }
    return [app_commands.ContextMenu(name=name, callback=do) for name, do in entries.items()]
