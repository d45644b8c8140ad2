"""An edit that waits for consent, as text and back: what it asks for and where, without offered pictures."""

import json
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from typing import Any

from bot.chat.events import Addressing, EditAsked, GridAsked, Preset, VariationAsked, Work
from bot.chat.offered_masks import MaskOffer
from bot.chat.offered_pictures import PictureOffer
from conversations.request_source import RequestSource
from conversations.settings import Grid, SettingsOverride
from conversations.variations import Variation

_KINDS: dict[str, type[Work]] = {kind.__name__: kind for kind in (EditAsked, VariationAsked, GridAsked)}
_OFFERS = ("own", "replied", "start", "recent", "mask")  # to be fetched; those meant are kept apart
_READ = ("question", "said")  # how the text was to be read, which was done before it waited


def saved_work(asked: Work) -> str:
    """The edit as JSON."""
    left_out = (*_OFFERS, *_READ)
    named = {field.name: getattr(asked, field.name) for field in fields(asked) if field.name not in left_out}
    return json.dumps({"kind": type(asked).__name__, **named}, default=_plain, ensure_ascii=False)


def restored_work(text: str, picture: PictureOffer | None, mask: MaskOffer | None = None) -> Work:
    """The edit that `saved_work` gave; `picture`: what a new session begins with."""
    saved: dict[str, Any] = json.loads(text)
    kind = _KINDS[saved.pop("kind")]
    saved.pop("starter", None)  # which earlier releases stored, and which is over once the version is known
    for name, made in _VALUES.items():
        if saved.get(name) is not None:
            saved[name] = made(saved[name])
    asked = kind(**saved)
    return replace(asked, replied=picture, mask=mask) if isinstance(asked, EditAsked) else asked


def _plain(value: Any) -> Any:
    return value.name if isinstance(value, Addressing) else asdict(value)


_VALUES: dict[str, Callable[[Any], Any]] = {
    "allowed_by": tuple,
    "source": lambda saved: RequestSource(**saved),
    "roles": tuple,
    "override": lambda saved: SettingsOverride(**saved),
    "addressing": lambda saved: Addressing[saved],
    "preset": Preset,
    "variation": Variation,
    "grid": lambda saved: Grid(**{axis: tuple(values) for axis, values in saved.items()}),
}
