"""Layouts of Discord components for cards and replies. Pure: no store, no network."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import discord
from discord import ui

from bot.chat.events import ButtonAction
from bot.chat.replies import (
    AskTarget,
    Card,
    CardState,
    Comparison,
    ForModerators,
    History,
    Note,
    Queue,
    SettingsPanel,
    buttons,
    how_it_goes,
    title,
)
from bot.discord_chat.ids import MessagePlace, user_of
from bot.discord_chat.ui.attachments import PictureFile
from bot.discord_chat.ui.buttons import CardButton, DiscordButton, VersionMenu, presets_offered
from bot.discord_chat.ui.component_ids import INSTRUCTION_ID, walk
from bot.discord_chat.ui.markdown import LAYOUT_CHARS, fitted, plain
from bot.i18n.catalog import Translate
from conversations.messages import Message, verbatim

INSTRUCTION_CHARS, READING_CHARS, ALT_CHARS = 600, 1200, 1024
KEPT_CHARS = 3000  # of an instruction, escaped; a message has 4000 in all
BAR_CELLS = 10
COUNTED_FROM_S = 10.0
FIRST = "v1"  # the version that comes with a tip
REPORT_COLOUR = 0xF0B232

_MARKS = {
    CardState.QUEUED: ("⏳", 0x80848E),
    CardState.RUNNING: ("🎨", 0x5865F2),
    CardState.DONE: ("✅", 0x23A55A),
    CardState.FAILED: ("⚠️", 0xF23F43),
    CardState.CANCELLED: ("🚫", 0x80848E),
}
_ANSWER_MARK = ("💬", 0x80848E)  # of an edit that the model declined


@dataclass(frozen=True, slots=True)
class AttachedImage:
    """An image of a message: its file, the name it is attached under, and its alt text."""

    file: PictureFile
    stem: str
    alt: str
    is_hidden: bool = False  # behind a spoiler

    @property
    def name(self) -> str:
        return f"{self.stem}.{self.file.suffix}"

    def attachment(self) -> discord.File:
        """A fresh file to send; discord.py closes it afterwards."""
        return discord.File(io.BytesIO(self.file.data), self.name, description=self.alt[:ALT_CHARS])


def gallery(images: Sequence[AttachedImage]) -> ui.MediaGallery[Any]:
    """A gallery of images with their alt texts."""
    items = [
        discord.MediaGalleryItem(
            f"attachment://{image.name}", description=image.alt[:ALT_CHARS], spoiler=image.is_hidden
        )
        for image in images
    ]
    return ui.MediaGallery(*items)


def thumbnail(image: AttachedImage) -> ui.Thumbnail[Any]:
    """A small image beside a text."""
    return ui.Thumbnail(
        f"attachment://{image.name}", description=image.alt[:ALT_CHARS], spoiler=image.is_hidden
    )


def card_layout(
    card: Card,
    images: Sequence[AttachedImage],
    guild: int | None,
    translate: Translate,
    opening: Message | None = None,
    *,
    now: float = 0.0,
) -> ui.LayoutView:
    """The layout of a card in its state, with `opening` above it; `now` in Unix seconds."""
    mark, colour = _ANSWER_MARK if card.is_answer else _MARKS[card.state]
    box: ui.Container[Any] = ui.Container(accent_colour=colour)
    box.add_item(ui.TextDisplay(f"### {mark} {_title(card, guild, translate)}"))
    if images:
        box.add_item(gallery(images))
    for text in (_words(card, now, translate), _footnotes(card, images, translate)):
        if text:
            box.add_item(ui.TextDisplay(text))
    _add_buttons(box, _card_buttons(card, translate))
    view = ui.LayoutView(timeout=None)
    if opening:
        view.add_item(ui.TextDisplay(translate(opening)))
    return view.add_item(box)


def _card_buttons(card: Card, translate: Translate) -> list[CardButton]:
    """The card's own buttons, and those that this chat adds to a finished edit."""
    own = [CardButton.of(button, card.turn_id, card.owner, translate) for button in card.buttons]
    if card.state is not CardState.DONE or card.parent is None or card.grid:
        return own
    added = [
        CardButton.of(button, card.turn_id, card.owner, translate) for button in buttons(ButtonAction.COMPARE)
    ]
    local = (DiscordButton.STRENGTHS, DiscordButton.MORE)
    added += [CardButton.local(act, translate, card.turn_id, card.owner) for act in local]
    return [*own[:5], *added, *own[5:]]


def alt_texts(card: Card, translate: Translate) -> tuple[str, str]:
    """The alt texts of the images before and after."""
    before = translate(Message("before", version=card.parent_version or card.version))
    if not card.instruction:
        return before, translate(Message("as_uploaded"))
    after = [translate(Message("after", words=verbatim(card.instruction)))]
    if card.expressive:
        after += [translate(Message("understood")), card.expressive]
    return before, " ".join(after)


def _title(card: Card, guild: int | None, translate: Translate) -> str:
    """ "v3 · [from v2 ↗](link) · @anna": a link to the parent's message, and the owner without a ping."""
    origin = translate(card.origin) if card.origin else ""
    parent = MessagePlace.of(card.parent_key)
    if origin and parent:
        origin = f"[{origin} ↗]({parent.link(guild)})"
    user = user_of(card.owner)
    owner = f"<@{user}>" if user and card.state is CardState.DONE else ""
    version = "" if card.is_answer else card.version
    return " · ".join(part for part in (version, origin, owner) if part)


def _words(card: Card, now: float, translate: Translate) -> str:
    """The instruction, the expressive instruction, and the status."""
    asked = plain(card.instruction, INSTRUCTION_CHARS)
    asked_label, understood_label = translate(Message("asked")), translate(Message("understood"))
    lines = [f"**{asked_label}** {asked}"] if asked else []
    if card.expressive:
        lines.append(f"**{understood_label}** {plain(card.expressive, READING_CHARS)}")
    progress = f"{bar(card.fraction)} {card.fraction:.0%}".replace("%", " %")
    how_it_goes = [progress if card.state is CardState.RUNNING else "", _status(card, now, translate)]
    lines.append(" · ".join(part for part in how_it_goes if part))
    return "\n".join(line for line in lines if line)


def _status(card: Card, now: float, translate: Translate) -> str:
    """The status; a longer wait as a timestamp that Discord counts down itself."""
    if card.wait_s is None or card.wait_s < COUNTED_FROM_S:
        return translate(how_it_goes(card))
    status = translate(card.status) if card.status else ""
    return f"{status} · <t:{round(now + card.wait_s)}:R>"


def _footnotes(card: Card, images: Sequence[AttachedImage], translate: Translate) -> str:
    """Notes and facts; a final card ends in its turn id, which `/show` takes."""
    notes = [*card.notes, *(image.file.note for image in images if image.file.note)]
    if card.version == FIRST and card.state is CardState.DONE and not card.grid:
        notes.append(Message("tip"))
    lines = list(map(translate, notes))
    if card.state.is_final:
        lines.append(" · ".join([*map(translate, card.facts), card.turn_id]))
    return "\n".join(f"-# {line}" for line in lines)


def bar(fraction: float) -> str:
    """A progress bar of text; `fraction` is 0 to 1, and ▓ marks what is done."""
    full = round(max(0.0, min(1.0, fraction)) * BAR_CELLS)
    return "▓" * full + "░" * (BAR_CELLS - full)


def _view(text: str) -> ui.LayoutView:
    return ui.LayoutView(timeout=None).add_item(ui.TextDisplay(text))


def _add_buttons(box: ui.Container[Any] | ui.LayoutView, pressable: Sequence[CardButton]) -> None:
    for start in range(0, len(pressable), 5):
        row: ui.ActionRow[Any] = ui.ActionRow()
        for button in pressable[start : start + 5]:
            row.add_item(button)
        box.add_item(row)


def target_layout(which: AskTarget, images: Sequence[AttachedImage], translate: Translate) -> ui.LayoutView:
    """ "Which picture?" with up to three choices; the message keeps the instruction (see component_ids).

    `shots` are the pictures of the choices, one for each.
    """
    view = _view(translate(which.text))
    if which.words:
        view.add_item(_kept(which.words))
    for choice, image in zip(which.choices, images, strict=True):
        about = f"**{choice.version}** {plain(choice.instruction, 100)}".strip()
        view.add_item(ui.Section(about, accessory=thumbnail(image)))
    if which.choices:
        row: ui.ActionRow[Any] = ui.ActionRow()
        for choice in which.choices:
            row.add_item(CardButton.choosing(choice.turn_id, choice.version))
        view.add_item(row)
    return view


def _kept(words: str) -> ui.TextDisplay[Any]:
    """An instruction that a message keeps for its buttons; `component_ids` reads it."""
    return ui.TextDisplay(f"> {plain(words, KEPT_CHARS)}", id=INSTRUCTION_ID)


def history_layout(history: History, images: Sequence[AttachedImage], translate: Translate) -> ui.LayoutView:
    """The newest versions as lines, newest first, and as a gallery; a dot marks the user's current one."""
    lines: list[str] = []
    for card in reversed(history.cards):
        mark, _ = _MARKS[card.state]
        here = "**●** " if card.turn_id == history.head else ""
        asked = plain(card.instruction, 100)
        lines.append(
            " ".join(part for part in (mark, here + translate(title(card)), asked and f"— {asked}") if part)
        )
    head = translate(history.text)
    view = _view(f"{head}\n{fitted(lines, LAYOUT_CHARS - len(head) - 1, translate)}")
    return view.add_item(gallery(images)) if images else view


def settings_layout(panel: SettingsPanel, translate: Translate) -> ui.LayoutView:
    """The settings, with buttons that change scales and seed of this session."""
    view = _view(settings_text(panel, translate))
    acts = (*presets_offered(panel.offers_auto), DiscordButton.LOCK_SEED, DiscordButton.RANDOM_SEED)
    _add_buttons(view, [CardButton.local(act, translate) for act in acts])
    return view


def more_layout(history: History, card: Card, translate: Translate) -> ui.LayoutView:
    """The menu of versions and the buttons that are not on a card; shown to one user."""
    view = _view(f"**{translate(title(card))}**")
    with_pictures = [c for c in history.cards if c.after and not c.grid]
    if with_pictures:
        menu: ui.ActionRow[Any] = ui.ActionRow()
        view.add_item(menu.add_item(VersionMenu.of(with_pictures, card.turn_id, translate)))
    acts = (
        *(() if card.is_exact else (ButtonAction.SEEDS,)),
        ButtonAction.CORRECT,
        ButtonAction.FROM_ORIGINAL,
        ButtonAction.LOCK,
        ButtonAction.SHARE,
        ButtonAction.SHOWCASE,
        ButtonAction.HIDE,
        ButtonAction.DELETE,
        ButtonAction.REPORT,
    )
    of_turn = [CardButton.of(button, card.turn_id, card.owner, translate) for button in buttons(*acts)]
    local = (DiscordButton.AS_PNG, DiscordButton.KEEP_STRICT, DiscordButton.KEEP_OFF)
    added = [CardButton.local(act, translate, card.turn_id, card.owner) for act in local]
    _add_buttons(view, [*of_turn, *added])
    return view


def note_layout(note: Note, translate: Translate) -> ui.LayoutView:
    """A message with buttons under it."""
    room = LAYOUT_CHARS - (KEPT_CHARS if note.words else 0)
    view = _view(fitted(translate(note.text).split("\n"), room, translate))
    if note.words:
        view.add_item(_kept(note.words))
    _add_buttons(view, [CardButton.of(button, note.about, note.asks, translate) for button in note.buttons])
    return view


def report_layout(
    report: ForModerators, images: Sequence[AttachedImage], guild: int | None, translate: Translate
) -> ui.LayoutView:
    """A report or appeal, with the buttons of the moderators."""
    box: ui.Container[Any] = ui.Container(accent_colour=REPORT_COLOUR)
    place = MessagePlace.of(report.key)
    link = f" [↗]({place.link(guild)})" if place else ""
    asked = f"“{plain(report.card.instruction, INSTRUCTION_CHARS)}”" if report.card else ""
    words = f"> {plain(report.words, INSTRUCTION_CHARS)}" if report.words else ""
    lines = (f"🚩 {translate(report.summary)}{link}", asked, words)
    box.add_item(ui.TextDisplay("\n".join(line for line in lines if line)))
    if images:
        box.add_item(gallery(images))
    _add_buttons(
        box, [CardButton.of(button, report.about, report.owner, translate) for button in report.buttons]
    )
    return ui.LayoutView(timeout=None).add_item(box)


def closed_report(message: discord.Message, outcome: str) -> ui.LayoutView:
    """A report without its image and buttons, with the decision under its texts as they stand."""
    texts = [c.content for c in walk(message.components) if isinstance(c, discord.TextDisplay)]
    box: ui.Container[Any] = ui.Container(accent_colour=_MARKS[CardState.CANCELLED][1])
    box.add_item(ui.TextDisplay("\n".join([*texts, f"-# {outcome}"])))
    return ui.LayoutView(timeout=None).add_item(box)


def accepted_layout(note: Message, card: Card, guild: int | None, translate: Translate) -> ui.LayoutView:
    """The private answer to an accepted edit: a link to its card, and Cancel until it has ended."""
    place = MessagePlace.of(card.key)
    link = f" [{card.version} ↗]({place.link(guild)})" if place else ""
    view = _view(f"{translate(note)}{link}")
    if not card.state.is_final:
        _add_buttons(view, [CardButton.cancelling(card)])
    return view


def queue_layout(queue: Queue, guild: int | None, translate: Translate) -> ui.LayoutView:
    """The user's queued and running edits, each with a link to its card and a Cancel button."""
    places = [(card.version, MessagePlace.of(card.key)) for card in queue.mine[:5]]
    links = " · ".join(f"[{version} ↗]({place.link(guild)})" for version, place in places if place)
    text = fitted(translate(queue.text).split("\n"), LAYOUT_CHARS - len(links) - 1, translate)
    view = _view(f"{text}\n{links}".strip())
    _add_buttons(view, [CardButton.cancelling(card) for card in queue.mine[:5]])
    return view


def comparison_layout(
    compared: Comparison, images: Sequence[AttachedImage], translate: Translate
) -> ui.LayoutView:
    """Two versions and a map of where they differ."""
    return _view(translate(compared.text)).add_item(gallery(images))


def settings_text(panel: SettingsPanel, translate: Translate) -> str:
    """One line per setting: its name, its value, and the scope that it comes from."""
    rows = [
        f"**{translate(row.label)}** {translate(row.value)} · *{translate(row.origin)}*" for row in panel.rows
    ]
    return "\n".join([*([translate(panel.text)] if panel.text else []), *rows])
