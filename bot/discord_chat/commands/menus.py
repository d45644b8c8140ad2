"""The entries in the menu of a message. discord.py registers five at most; these are five."""

from typing import TYPE_CHECKING, Any

from discord import app_commands

if TYPE_CHECKING:
    from bot.discord_chat.ui.component_handler import ComponentHandler


def message_menus(components: "ComponentHandler") -> list[app_commands.ContextMenu]:
    """One menu entry per thing to do with a message."""
    entries: dict[str, Any] = {
        "Edit this image": components.edit_image,
        "Refine from here": components.refine_from_here,
        "Edit details": components.details,
        "Cancel or delete edit": components.cancel_or_delete,
        "Report edit": components.report,
    }
    return [app_commands.ContextMenu(name=name, callback=do) for name, do in entries.items()]
