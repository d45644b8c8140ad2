"""Ranges and choices of the commands are those of the settings themselves."""

from pathlib import Path

from bot.chat.events import Preset
from bot.policy.limits import LONGEST_INSTRUCTION
from conversations.settings import CHOICES, RANGES
from tests.support.discord_room import Room, room


def options_of(r: Room, command: str) -> dict[str, dict[str, object]]:
    """The registered options of a command, by name."""
    registered = r.bot.tree.get_command(command)
    assert registered is not None
    return {option["name"]: option for option in registered.to_dict(r.bot.tree)["options"]}


async def test_every_setting_has_the_range_it_has_elsewhere(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        cfg, edit = options_of(r, "cfg"), options_of(r, "edit")
    for name in ("text_cfg", "image_cfg", "steps"):
        assert (cfg[name]["min_value"], cfg[name]["max_value"]) == RANGES[name]
    for option, values in (
        (cfg["preset"], tuple(Preset)),
        (cfg["sampler"], CHOICES["sampler"]),
        (edit["keep"], CHOICES["keep"]),
    ):
        assert tuple(choice["value"] for choice in option["choices"]) == values  # type: ignore[attr-defined]
    assert edit["instruction"]["max_length"] == LONGEST_INSTRUCTION
