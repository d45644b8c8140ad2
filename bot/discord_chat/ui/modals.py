"""Forms (Discord's modals).

A submitted form is read from the interaction, since its id outlives a restart and the form object does not.
"""

from dataclasses import dataclass
from typing import Any

import discord
from discord import ui

from bot.chat.events import NEEDS_WORDS, Preset
from bot.chat.replies import Card
from bot.discord_chat.inbound.downloads import RemoteFile
from bot.discord_chat.ui.buttons import EDIT_IMAGE, ButtonId, presets_offered
from bot.i18n.catalog import Translate
from conversations.messages import Message

WORDS, STRENGTH, START, PHOTO = "words", "strength", "start", "photo"
ORIGINAL = "original"
TITLE_CHARS, LABEL_CHARS, READING_CHARS, REPORT_CHARS = 45, 45, 2000, 400


@dataclass(frozen=True, slots=True)
class SubmittedForm:
    """A submitted form: the button that opened it, and its fields."""

    button: ButtonId
    words: str
    preset: Preset | None = None
    from_original: bool = False
    image: RemoteFile | None = None


def refine_form(
    button: ButtonId, card: Card, max_length: int, translate: Translate, offers_auto: bool = True
) -> ui.Modal:
    """The form of Refine: instruction, strength, start (this version or the original), another image.

    An answer of the bot is no version; what is refined then is the one it is about.
    """
    version = (card.parent_version if card.is_answer else None) or card.version
    form = _form(button, translate(Message("refine_title", version=version)))
    form.add_item(
        _words(translate(Message("what_to_change")), card.instruction[:max_length], max_length, translate)
    )
    presets = {
        "": translate(Message("as_it_is")),
        **{leaning.value: translate(leaning.label) for leaning in presets_offered(offers_auto)},
    }
    form.add_item(_choice(translate(Message("how_strongly")), STRENGTH, presets))
    form.add_item(
        _choice(
            translate(Message("from_where")),
            START,
            {"": version, ORIGINAL: translate(Message("the_original"))},
        )
    )
    upload: ui.FileUpload[Any] = ui.FileUpload(custom_id=PHOTO, required=False, min_values=0, max_values=1)
    form.add_item(ui.Label(text=translate(Message("another_photo"))[:LABEL_CHARS], component=upload))
    return form


def correct_form(button: ButtonId, card: Card, translate: Translate) -> ui.Modal:
    """The form of Correct: the expressive instruction of a version."""
    form = _form(button, translate(Message("correct_title", version=card.version)))
    form.add_item(
        _words(
            translate(Message("how_understood")),
            (card.expressive or "")[:READING_CHARS],
            READING_CHARS,
            translate,
        )
    )
    return form


def report_form(button: ButtonId, version: str, translate: Translate) -> ui.Modal:
    """The form of Report: what is wrong with a version; optional."""
    form = _form(button, translate(Message("report_title", version=version)))
    field: ui.TextInput[Any] = ui.TextInput(
        custom_id=WORDS, style=discord.TextStyle.paragraph, required=False, max_length=REPORT_CHARS
    )
    form.add_item(ui.Label(text=translate(Message("what_is_wrong"))[:LABEL_CHARS], component=field))
    return form


def edit_form(message: int, max_length: int, translate: Translate) -> ui.Modal:
    """The form of *Edit this image*: the instruction."""
    form = _form(ButtonId(EDIT_IMAGE, str(message)), translate(Message("edit_title")))
    form.add_item(_words(translate(Message("what_to_change")), "", max_length, translate))
    return form


def _form(button: ButtonId, title: str) -> ui.Modal:
    return ui.Modal(title=title[:TITLE_CHARS], custom_id=str(button), timeout=900)


def _words(question: str, prefilled: str, max_length: int, translate: Translate) -> ui.Label[Any]:
    field: ui.TextInput[Any] = ui.TextInput(
        custom_id=WORDS,
        style=discord.TextStyle.paragraph,
        placeholder=translate(Message("for_example")),
        default=prefilled or None,
        min_length=1,
        max_length=max_length,
    )
    return ui.Label(text=question[:LABEL_CHARS], component=field)


def _choice(question: str, name: str, choices: dict[str, str]) -> ui.Label[Any]:
    options = [
        discord.RadioGroupOption(label=label, value=value or "-", default=not value)
        for value, label in choices.items()
    ]
    group: ui.RadioGroup[Any] = ui.RadioGroup(custom_id=name, options=options, required=False)
    return ui.Label(text=question[:LABEL_CHARS], component=group)


def read_form(interaction: discord.Interaction[Any]) -> SubmittedForm | None:
    """The submitted form; None for a form that is not of this bot."""
    data: Any = interaction.data or {}
    button = ButtonId.parse(data.get("custom_id", ""))
    if button is None or button.act not in (*NEEDS_WORDS, EDIT_IMAGE):
        return None
    fields = {f["custom_id"]: f for f in (label.get("component", {}) for label in data["components"]) if f}
    strength = fields.get(STRENGTH, {}).get("value")
    uploaded = (data.get("resolved") or {}).get("attachments", {})
    chosen = next(iter(fields.get(PHOTO, {}).get("values") or ()), None)
    return SubmittedForm(
        button=button,
        words=fields.get(WORDS, {}).get("value") or "",
        preset=Preset(strength) if strength in set(Preset) else None,
        from_original=fields.get(START, {}).get("value") == ORIGINAL,
        image=_remote_file(uploaded[chosen]) if chosen in uploaded else None,
    )


def _remote_file(attachment: dict[str, Any]) -> RemoteFile:
    return RemoteFile(attachment["url"], attachment["size"], attachment["filename"])
