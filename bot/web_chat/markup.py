"""Draws what the page shows as HTML, from `templates/`. Pure: the same state gives the same text.

Everything a user typed is escaped by the templates.
"""

import base64
import re
from collections.abc import Iterable, Mapping
from functools import cache, partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from bot.chat.events import ButtonAction
from bot.chat.replies import Button, Card, Comparison, SessionSummary, how_it_goes, title
from bot.i18n.catalog import translator
from bot.web_chat.page_state import Choice, PageState, Size, picture_of
from bot.web_chat.presets import PresetButton
from bot.web_chat.samples import Sample
from bot.workflow.grid import margin_of
from conversations.images.encoding import WEBP_SIDE_PX
from conversations.messages import Message, Param
from conversations.settings import RANGES, Grid

TEMPLATES = Path(__file__).parent / "templates"
# Undo is at the filmstrip, refine is typing.
OFFERS = (
    ButtonAction.CANCEL,
    ButtonAction.RETRY,
    ButtonAction.SAY,
    ButtonAction.DO_IT,
    ButtonAction.DO_OTHER,
)
HEAD_OFFERS = (
    ButtonAction.CANCEL,
    ButtonAction.RETRY,
    ButtonAction.SUBTLER,
    ButtonAction.STRONGER,
    ButtonAction.FROM_ORIGINAL,
)
FIRST_WORDS = ("make it brighter", "make it warmer", "turn it to sepia")  # fit any picture


def page(values: Mapping[str, object], language: str) -> str:
    """The whole page; `values` are those of templates/page.html, with drawn parts as `Markup`."""
    return _draw("page.html", language, ranges=RANGES, **values)


def parts(state: PageState, language: str) -> dict[str, str]:
    """What changes with the conversation, by the id of its element."""
    return {"stage": stage(state, language), "film": film(state, language), "talk": talk(state, language)}


def stage(state: PageState, language: str) -> str:
    """The large picture: before and after, or work in progress; empty before the first picture."""
    subject = state.subject
    if subject is None:
        return ""
    return _draw(
        "stage.html",
        language,
        subject=subject,
        live=not subject.state.is_final,
        shown=picture_of(subject),
        is_head=subject.turn_id == state.head,
        ratio=partial(_ratio, state),
        saved_as=_saved_as(state.sizes.get(picture_of(subject) or "", (1, 1))),
    )


def _saved_as(size: Size) -> list[tuple[str, str]]:
    """The formats that a picture can be downloaded in: the ending of the file, and the name."""
    named = [("png", "PNG"), ("jpg", "JPEG"), ("webp", "WebP")]
    return named if max(size) <= WEBP_SIDE_PX else named[:2]


def compare(state: PageState, comparison: Comparison | None, language: str) -> str:
    """Two versions beside each other, with a choice of any two; empty for none."""
    if comparison is None:
        return ""
    return _draw(
        "compare.html",
        language,
        before=comparison.before,
        after=comparison.after,
        text=comparison.text,
        cards=[card for card in _versions(state) if picture_of(card)],
        ratio=partial(_ratio, state),
    )


def chooser(sessions: Iterable[SessionSummary], samples: Iterable[Sample], language: str) -> str:
    """Where a picture comes from: a file, the user's earlier ones, a sample; and what can be deleted."""
    return _draw("chooser.html", language, sessions=tuple(sessions), samples=tuple(samples))


def _ratio(state: PageState, key: str | None) -> str:
    """Width by height of a picture."""
    width, height = state.sizes.get(key or "", (1, 1))
    return f"{width / height:.4f}"


def _versions(state: PageState) -> list[Card]:
    """The versions that can be gone to, waiting ones included."""
    return [card for card in state.cards if not (card.grid or card.is_answer)]


def film(state: PageState, language: str) -> str:
    """The strip of versions with undo and redo, without sheets; empty before the first picture."""
    if not state.cards:
        return ""
    can_undo = state.current is not None and state.current is not state.cards[0]
    cards = _versions(state)
    return _draw(
        "film.html",
        language,
        cards=cards,
        head=state.head,
        other=state.head if can_undo else cards[-1].turn_id,
        can_undo=can_undo,
        can_redo=state.can_redo,
        picture=picture_of,
    )


def talk(state: PageState, language: str) -> str:
    """What was asked and how it was understood, oldest first."""
    return _draw(
        "talk.html",
        language,
        cards=state.cards,
        head=state.head,
        first_words=FIRST_WORDS,
        margins=partial(_margins, state),
    )


def _margins(state: PageState, card: Card) -> tuple[float, float]:
    """Where the cells of a grid begin, in per cent of its width and height."""
    margin = margin_of(card.grid or Grid())
    width, height = state.sizes.get(card.after or "", (1200, 1200))
    return round(100 * margin / width, 2), round(100 * margin / height, 2)


def notice(message: Message | None, language: str, choices: Iterable[Choice] = ()) -> str:
    """What the bot says aside from pictures, read aloud by screen readers; None clears it."""
    return _draw("notice.html", language, message=message, choices=tuple(choices)) if message else ""


def foot(lines: Iterable[Message], language: str) -> str:
    """What the bot says about itself to everybody, with links."""
    return _draw("foot.html", language, lines=tuple(lines))


def removal_form(values: Mapping[str, object], language: str) -> str:
    """The page with the form of bot.web_chat.removal_form."""
    return _draw("removal_form.html", language, **values)


def _links(text: str) -> Markup:
    """Escaped and marked as `_marks` does, with links."""
    return Markup(re.sub(r"https?://[^\s<]+", r'<a href="\g<0>" rel="noopener">\g<0></a>', str(_marks(text))))


def presets(offered: Iterable[PresetButton], language: str, asks: bool = True) -> str:
    """The named strengths as buttons, the chosen one pressed; and whether doubtful edits are asked about."""
    return _draw("presets.html", language, offers=tuple(offered), asks=asks)


def offers(card: Card, head: str | None) -> tuple[Button, ...]:
    """The buttons worth drawing under a card: all of the head's, only cancel or retry of others."""
    wanted = HEAD_OFFERS if card.turn_id == head else OFFERS
    if card.state.is_final and card.turn_id != head and card.after:
        return ()
    return tuple(button for button in card.buttons if button.act in wanted)


def _marks(text: str) -> Markup:
    """Escaped, with **strong** and *emphasised* words as the sentences mark them."""
    strong = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", str(escape(text)))
    return Markup(re.sub(r"\*(.+?)\*", r"<em>\1</em>", strong))


def _data_uri(webp: bytes) -> str:
    return "data:image/webp;base64," + base64.b64encode(webp).decode("ascii")


def _draw(template: str, language: str, **values: object) -> str:
    return _environment(language).get_template(template).render(**values)


@cache
def _environment(language: str) -> Environment:
    """Templates in one language: `t` renders a code with parameters, `tr` a message."""
    translate = translator(language)

    def text(code: str, **params: Param) -> str:
        return translate(Message(code, **params))

    def trail(card: Card) -> str:
        return f" {translate(card.origin)}" if card.origin else ""

    def facts(card: Card) -> str:
        return " · ".join(map(translate, card.facts))

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"t": text, "tr": translate, "facts": facts, "language": language}
    environment.filters |= {
        "trail": trail,
        "title": lambda card: translate(title(card)),
        "how_it_goes": lambda card: translate(how_it_goes(card)),
        "marks": _marks,
        "links": _links,
        "data_uri": _data_uri,
        "percent": lambda fraction: round(100 * fraction),
        "offers": offers,
    }
    return environment
