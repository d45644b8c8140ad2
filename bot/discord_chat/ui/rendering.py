"""From replies to messages: loads the images that a reply names, and lays everything out."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import discord
from discord import ui

from bot.chat.replies import (
    Accepted,
    AskTarget,
    Card,
    CardState,
    Comparison,
    Decided,
    Erased,
    Files,
    ForModerators,
    History,
    ImageChoice,
    Note,
    Queue,
    Reacted,
    Reply,
    Sessions,
    SettingsPanel,
    ShownVersion,
)
from bot.discord_chat.ids import user_of
from bot.discord_chat.inbound.reply_context import ReplyContext
from bot.discord_chat.ui.attachments import PictureFile, before_file, fits, result_file
from bot.discord_chat.ui.layouts import (
    AttachedImage,
    accepted_layout,
    alt_texts,
    card_layout,
    comparison_layout,
    history_layout,
    note_layout,
    queue_layout,
    report_layout,
    settings_layout,
    target_layout,
)
from bot.discord_chat.ui.markdown import TEXT_CHARS, discord_translator, fitted
from bot.i18n.catalog import Translate
from conversations.errors import PictureMissing
from conversations.images.picture_views import PictureViews
from conversations.messages import Message

GALLERY_LIMIT = 10


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send: text or a layout, with its images; `pings` is the user who may be pinged."""

    text: str | None = None
    view: ui.LayoutView | None = None
    images: Sequence[AttachedImage] = field(default_factory=tuple)
    pings: int | None = None

    @property
    def mentions(self) -> discord.AllowedMentions:
        """Who may be pinged."""
        users = [discord.Object(self.pings)] if self.pings else False
        return discord.AllowedMentions(everyone=False, roles=False, users=users, replied_user=False)

    def files(self) -> list[discord.File]:
        """New file objects; discord.py closes those that were sent."""
        return [image.attachment() for image in self.images]

    def to_send(self) -> dict[str, Any]:
        """The arguments of `send`."""
        if self.view is None:
            return {"content": self.text, **({"files": self.files()} if self.images else {})}
        return {"view": self.view, "files": self.files()}

    def to_edit(self) -> dict[str, Any]:
        """The arguments of an `edit` that replaces all content."""
        if self.view is None:
            return {"content": self.text, **({"attachments": self.files()} if self.images else {})}
        return {"content": None, "view": self.view, "attachments": self.files()}


class Renderer:
    """Renders replies, with the pictures that they name."""

    def __init__(self, pictures: PictureViews) -> None:
        self._pictures = pictures

    async def reply(self, reply: Reply, context: ReplyContext) -> Outgoing:
        """The message of any reply of the workflow."""
        translate = discord_translator(context.language)
        match reply:
            case Note():
                return _note(reply, translate)
            case Reacted(note):
                return Outgoing(translate(note))
            case Accepted(note, card):
                return Outgoing(view=accepted_layout(note, card, context.guild, translate))
            case ShownVersion(note, card):
                return await self.card(card, context, note)
            case SettingsPanel():
                return Outgoing(view=settings_layout(reply, translate))
            case Queue():
                layout = queue_layout(reply, context.guild, translate)
                return Outgoing(view=layout) if reply.mine else Outgoing(translate(reply.text))
            case Files(text) | Erased(text) | Decided(text) | ForModerators(text) | Sessions(text):
                return Outgoing(translate(text))
            case Comparison():
                return await self._comparison(reply, translate)
            case AskTarget():
                return await self._target_question(reply, translate)
            case History():
                images = await self._versions(reply.cards, translate)
                return Outgoing(view=history_layout(reply, images, translate), images=images)

    async def card(
        self, card: Card, context: ReplyContext, opening: Message | None = None, *, with_preview: bool = False
    ) -> Outgoing:
        """The message of a card: with both images once done, before that with its preview if wanted."""
        translate = discord_translator(context.language)
        images: Sequence[AttachedImage] = ()
        if card.state is CardState.DONE:
            images = await self._before_and_after(card, context)
        elif with_preview and card.preview is not None:
            file = PictureFile(card.preview, "webp")
            images = [
                AttachedImage(file, f"{card.turn_id}-preview", translate(Message("preview")), card.is_hidden)
            ]
        layout = card_layout(card, images, context.guild, translate, opening, now=time.time())
        return Outgoing(view=layout, images=images)

    async def result(self, card: Card, limit: int, translate: Translate) -> AttachedImage | None:
        """The image of a version as a file of at most `limit` bytes; None when it was deleted."""
        if card.after is None:
            return None
        try:
            file = await self._result_file(card.after, limit)
        except PictureMissing:
            return None
        return AttachedImage(
            file, f"{card.turn_id}-{card.version}", alt_texts(card, translate)[1], card.is_hidden
        )

    async def _result_file(self, key: str, limit: int) -> PictureFile:
        if fits(await self._pictures.file_size(key), limit):
            return PictureFile(await self._pictures.file(key), "png")
        return await self._pictures.draw(result_file, [key], limit)

    async def for_moderators(self, report: ForModerators, context: ReplyContext) -> Outgoing:
        """The message of a report; its image is behind a spoiler."""
        translate = discord_translator(report.language)
        images = (
            await self._versions([replace(report.card, is_hidden=True)], translate) if report.card else ()
        )
        return Outgoing(view=report_layout(report, images, context.guild, translate), images=images)

    async def _before_and_after(self, card: Card, context: ReplyContext) -> Sequence[AttachedImage]:
        images = []
        if card.before and not card.grid and (before := await self._before(card.before)):
            images.append(
                AttachedImage(
                    before,
                    f"{card.turn_id}-before",
                    alt_texts(card, discord_translator(context.language))[0],
                    card.is_hidden,
                )
            )
        if after := await self.result(card, context.file_limit, discord_translator(context.language)):
            images.append(after)
        return images

    async def _comparison(self, compared: Comparison, translate: Translate) -> Outgoing:
        before, after = compared.before, compared.after
        about = translate(Message("change_map", before=before.version, after=after.version))
        is_hidden = before.is_hidden or after.is_hidden
        changes = AttachedImage(PictureFile(compared.change_map, "webp"), "changes", about, is_hidden)
        images = [*await self._versions((before, after), translate), changes]
        return Outgoing(view=comparison_layout(compared, images, translate), images=images)

    async def _before(self, key: str) -> PictureFile | None:
        """A reduced copy of an image; None when it was deleted."""
        try:
            return await self._pictures.draw_once(before_file, [key])
        except PictureMissing:
            return None

    async def _target_question(self, which: AskTarget, translate: Translate) -> Outgoing:
        """The question, with those choices whose images still exist."""
        offered = [
            (choice, await self._thumbnail(choice.image, choice, translate)) for choice in which.choices
        ]
        choices = tuple(choice for choice, image in offered if image)
        images = [image for _, image in offered if image]
        return Outgoing(view=target_layout(replace(which, choices=choices), images, translate), images=images)

    async def _versions(self, cards: Sequence[Card], translate: Translate) -> Sequence[AttachedImage]:
        done = [card for card in cards if card.after][-GALLERY_LIMIT:]
        images = [await self._thumbnail(card.after or "", card, translate) for card in done]
        return [image for image in images if image]

    async def _thumbnail(
        self, key: str, shown: Card | ImageChoice, translate: Translate
    ) -> AttachedImage | None:
        """A reduced copy of a version's image; None when it was deleted."""
        file = await self._before(key)
        if file is None:
            return None
        # Versions of several sessions may be in one message, and then "v1" is more than one of them.
        stem = f"{shown.turn_id}-{shown.version}"
        what = shown.instruction or translate(Message("as_uploaded"))
        alt = f"{shown.version}: {what}"
        return AttachedImage(file, stem, alt, shown.is_hidden)


def _note(note: Note, translate: Translate) -> Outgoing:
    pings = user_of(note.asks) if note.asks and not note.private else None
    if note.buttons:
        return Outgoing(view=note_layout(note, translate), pings=pings)
    text = fitted(translate(note.text).split("\n"), TEXT_CHARS, translate)
    return Outgoing(text, pings=pings)
