"""/edit, /vary, /grid and /show: edit, repeat an edit, try scales side by side, see a version again."""

from functools import partial
from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.events import (
    Addressing,
    EditAsked,
    GridAsked,
    SettingsAsked,
    ShowAsked,
    VariationAsked,
)
from bot.chat.offered_masks import MaskFile
from bot.chat.replies import Note, SettingsPanel
from bot.discord_chat.commands.autocomplete import suggest_versions
from bot.discord_chat.inbound.inbound_images import files_offer, remote_file
from bot.discord_chat.interactions import (
    HasHandler,
    Interaction,
    Response,
    acknowledged,
    lookup_of,
    origin_of,
)
from bot.policy.limits import LONGEST_INSTRUCTION, MOST_RESULTS
from bot.workflow.settings_layers import GRID_SIDE
from conversations.messages import Message
from conversations.settings import Grid, Keep, SettingsOverride
from conversations.variations import Variation

How = Literal["new seed", "four seeds", "stronger", "subtler", "from original"]
VARIATIONS: dict[str, Variation] = {
    "new seed": Variation.AGAIN,
    "stronger": Variation.STRONGER,
    "subtler": Variation.SUBTLER,
    "from original": Variation.FROM_ORIGINAL,
}


class EditingCog(HasHandler, commands.Cog):
    """Commands that make or show images."""

    @app_commands.command(name="edit", description="Edit a picture, or refine the last one")
    @app_commands.describe(
        instruction="What to change, for example: make it darker",
        image="A picture to edit; without one I continue from your last version here",
        from_version="The version to continue from, for example: v2",
        mask="A picture of the same size: white or transparent where it may change",
        keep="How much of the picture to restore outside the edited area",
        spoiler="Show the pictures behind spoilers",
        results="How many results to choose from, each with a seed of its own",
    )
    @app_commands.rename(from_version="from")
    @app_commands.autocomplete(from_version=suggest_versions)
    @acknowledged
    async def edit(
        self,
        interaction: Interaction,
        instruction: app_commands.Range[str, 1, LONGEST_INSTRUCTION],
        image: discord.Attachment | None = None,
        from_version: app_commands.Range[str, 1, 10] | None = None,
        mask: discord.Attachment | None = None,
        keep: Keep | None = None,
        spoiler: bool = False,
        results: app_commands.Range[int, 1, MOST_RESULTS] = 1,
    ) -> Response:
        """Edit the image; without one, refine a version."""
        downloads = self.handler.reads.downloads
        return EditAsked(
            **origin_of(interaction),
            text=instruction,
            addressing=Addressing.FORM,
            own=files_offer(downloads, remote_file(image)) if image else None,
            mask=MaskFile(partial(downloads.fetch, remote_file(mask))) if mask else None,
            version=from_version,
            override=SettingsOverride(keep=keep),
            is_hidden=spoiler,
            results=results,
        )

    @app_commands.command(name="vary", description="Run an edit again, varied; it starts where that edit did")
    @app_commands.describe(
        how="Another seed or four, stronger, subtler, or all its instructions at once on the original",
        version="The edit to run again, for example: v2; without one, your last",
    )
    @app_commands.autocomplete(version=suggest_versions)
    @acknowledged
    async def vary(
        self,
        interaction: Interaction,
        how: How = "new seed",
        version: app_commands.Range[str, 1, 10] | None = None,
    ) -> Response:
        """Run an edit again: what the buttons of its card do, without looking for the card."""
        if how == "four seeds":
            return GridAsked(**origin_of(interaction), version=version, seeds=MOST_RESULTS)
        return VariationAsked(**origin_of(interaction), variation=VARIATIONS[how], version=version)

    @app_commands.command(name="grid", description="One edit with several guidance scales, side by side")
    @app_commands.describe(
        instruction="What to change; without it, the instruction of your last version",
        text_cfg="How closely to follow the instruction, one to three numbers: 6 7.5 9",
        image_cfg="How closely to keep the picture, one to three numbers: 1.2 1.5 1.8",
    )
    @acknowledged
    async def grid(
        self,
        interaction: Interaction,
        instruction: app_commands.Range[str, 1, LONGEST_INSTRUCTION] | None = None,
        text_cfg: app_commands.Range[str, 1, 40] | None = None,
        image_cfg: app_commands.Range[str, 1, 40] | None = None,
    ) -> Response:
        """Run one edit under several guidance scales."""
        try:
            grid = await self._grid(interaction, text_cfg, image_cfg)
        except ValueError:
            return Note(Message("grid_size", count=GRID_SIDE))
        if isinstance(grid, Note):
            return grid
        return GridAsked(**origin_of(interaction), text=instruction or "", grid=grid)

    async def _grid(
        self, interaction: Interaction, text_cfg: str | None, image_cfg: str | None
    ) -> Grid | Note | None:
        """The grid of scales as typed, "6 7.5 9"; None when none were. Raises ValueError for anything else.

        A scale that was not typed is the current setting; a Note when the user may not ask for that now.
        """
        if text_cfg is None and image_cfg is None:
            return None
        who = lookup_of(interaction)
        who["event_id"] += ":panel"
        panel = await self.handler.workflow.handle(SettingsAsked(**who))
        if not isinstance(panel, SettingsPanel):
            return panel if isinstance(panel, Note) else None
        now = {row.name: row.setting for row in panel.rows}
        text, image = text_cfg or str(now["text_cfg"]), image_cfg or str(now["image_cfg"])
        return Grid(scales(text), scales(image))

    @app_commands.command(name="show", description="Show a version again, with its buttons")
    @app_commands.describe(version="For example: v2, or its id; without one, your own last version")
    @app_commands.autocomplete(version=suggest_versions)
    @acknowledged
    async def show(
        self, interaction: Interaction, version: app_commands.Range[str, 1, 10] | None = None
    ) -> Response:
        """Post a version again, visible to everyone."""
        return ShowAsked(**origin_of(interaction), version=version)


def scales(typed: str) -> tuple[float, ...]:
    """ "6, 7.5 9" → (6.0, 7.5, 9.0)."""
    return tuple(float(word) for word in typed.replace(";", " ").replace(", ", " ").split())
