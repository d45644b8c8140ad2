"""Auto guidance: fills in the scales that an edit leaves open, from its image and its instruction."""

from dataclasses import replace

from conversations.images.picture_views import PictureViews
from conversations.messages import Message
from conversations.settings import EditSettings
from conversations.turn import Turn
from mgie_engine.strengths import StrengthTable, advise_on_png


async def resolve_auto(
    turn: Turn, settings: EditSettings, image: str, table: StrengthTable | None, pictures: PictureViews
) -> tuple[EditSettings, tuple[Message, ...]]:
    """`settings` with advice for the scales in `turn.auto_scales`, and the reasons as sentences.

    `image`: the key of the picture that the edit starts from. In `settings`, the own values of the model
    stand for these scales. `table`: what a study found about it.
    """
    own = (settings.text_cfg, settings.image_cfg)
    advice = await pictures.draw(advise_on_png, [image], turn.instruction, table, own)
    chosen = {name: getattr(advice, name) for name in turn.auto_scales}
    return replace(settings, **chosen), advice.reason
