"""The named strengths as the page offers them. Pure."""

from dataclasses import dataclass

from bot.web_chat.page_settings import PageSettings
from conversations.messages import Message, verbatim
from mgie_engine.config import Defaults
from mgie_engine.strengths import Preset, fits_model, preset_override


@dataclass(frozen=True, slots=True)
class PresetButton:
    """One preset as a button."""

    preset: Preset
    label: Message
    is_chosen: bool


def offers(
    settings: PageSettings, defaults: PageSettings, offers_auto: bool = True
) -> tuple[PresetButton, ...]:
    """Every preset that suits the model; of several with the numbers of the fields the first is chosen.

    Auto is offered where the model has a table that it can follow, or where it is chosen already.
    """
    own = Defaults(text_cfg=defaults.text_cfg, image_cfg=defaults.image_cfg)
    chosen = next((preset for preset in Preset if _has_scales_of(settings, preset, own)), None)
    shown = (
        preset
        for preset in Preset
        if fits_model(preset, own) and (preset is not Preset.AUTO or offers_auto or settings.is_auto)
    )
    return tuple(PresetButton(preset, _label(preset, own), preset is chosen) for preset in shown)


def _has_scales_of(settings: PageSettings, preset: Preset, own: Defaults) -> bool:
    if settings.is_auto or preset is Preset.AUTO:
        return settings.is_auto and preset is Preset.AUTO
    override = preset_override(preset, own)
    return (settings.text_cfg, settings.image_cfg) == (override.text_cfg, override.image_cfg)


def _label(preset: Preset, own: Defaults) -> Message:
    if preset in (Preset.AUTO, Preset.FAITHFUL, Preset.BALANCED, Preset.BOLD):
        return Message(f"button.{preset}")
    override = preset_override(preset, own)
    author = "MGIE" if preset is Preset.CLASSIC else "MagiX"
    return verbatim(f"{author} {override.text_cfg:g}/{override.image_cfg:g}")
