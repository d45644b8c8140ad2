"""/cfg: settings of a session, a user or a channel."""

from typing import Literal

from discord import app_commands
from discord.ext import commands

from bot.chat.events import Preset, Scope, SettingsAsked
from bot.chat.replies import Note
from bot.discord_chat.interactions import HasHandler, Interaction, Response, acknowledged, origin_of
from conversations.messages import Message
from conversations.settings import RANGES, Ask, Sampler, SettingsOverride

TEXT_CFG, IMAGE_CFG, STEPS = RANGES["text_cfg"], RANGES["image_cfg"], RANGES["steps"]
RANDOM, LOCK = "random", "lock"


class SettingsCog(HasHandler, commands.Cog):
    """Change and show settings."""

    @app_commands.command(name="cfg", description="Show or change the edit settings")
    @app_commands.describe(
        text_cfg="How closely to follow the instruction",
        image_cfg="How closely to keep the picture",
        steps="Denoising steps (more = slower)",
        seed="A number, “random”, or “lock” to keep the seed of your last version",
        preset="A preset of both guidance scales; auto chooses them for each edit",
        sampler="The sampler of the diffusion steps",
        ask="Ask before an edit that may be misunderstood",
        scope="What the settings apply to; this session by default",
        reset="Reset this scope first",
    )
    @app_commands.choices(preset=[app_commands.Choice(name=preset, value=preset) for preset in Preset])
    @acknowledged
    async def cfg(
        self,
        interaction: Interaction,
        text_cfg: app_commands.Range[float, TEXT_CFG[0], TEXT_CFG[1]] | None = None,
        image_cfg: app_commands.Range[float, IMAGE_CFG[0], IMAGE_CFG[1]] | None = None,
        steps: app_commands.Range[int, STEPS[0], STEPS[1]] | None = None,
        seed: app_commands.Range[str, 1, 10] | None = None,
        preset: str | None = None,
        sampler: Sampler | None = None,
        ask: Ask | None = None,
        scope: Literal["session", "me", "channel"] = "session",
        reset: bool = False,
    ) -> Response:
        """Change the named settings; with none named, show all of them."""
        word = (seed or "").strip().lower()
        number = int(word) if word.isdecimal() else None
        if word not in ("", RANDOM, LOCK) and number is None:
            return Note(Message("not_a_seed", word=word))
        return SettingsAsked(
            **origin_of(interaction),
            override=SettingsOverride(
                text_cfg=text_cfg, image_cfg=image_cfg, steps=steps, seed=number, sampler=sampler, ask=ask
            ),
            preset=Preset(preset) if preset else None,
            scope=Scope(scope),
            forget=("seed",) if word == RANDOM else (),
            lock_seed=word == LOCK,
            reset=reset,
        )
