"""From replies to what is sent: fetches the pictures a reply names and lays everything out."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import discord
from discord import ui

from bot.discord_chat.pictures import PictureFile, before_file, result_file
from bot.discord_chat.source import Source
from bot.discord_chat.views import (
    Shot,
    alt_texts,
    card_layout,
    history_layout,
    panel_text,
    which_layout,
)
from bot.replies import Accepted, Card, CardState, History, Note, Panel, Reply, Shown, Which
from conversations.errors import PictureMissing

GALLERY_LIMIT = 10
LoadPicture = Callable[[str], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Something to send: either plain text, or a layout with its pictures."""

    text: str | None = None
    view: ui.LayoutView | None = None
    shots: Sequence[Shot] = field(default_factory=tuple)

    def files(self) -> list[discord.File]:
        """Fresh files; a sent one cannot be sent again."""
        return [shot.attachment() for shot in self.shots]

    def to_send(self) -> dict[str, Any]:
        """The arguments of a `send` or `reply`."""
        if self.view is None:
            return {"content": self.text}
        return {"view": self.view, "files": self.files()}

    def to_edit(self) -> dict[str, Any]:
        """The arguments of an `edit` that replaces whatever was there."""
        if self.view is None:
            return {"content": self.text}
        return {"content": None, "view": self.view, "attachments": self.files()}


class Drawing:
    """Draws replies; `load` gives the PNG of an ImageStore key."""

    def __init__(self, load: LoadPicture) -> None:
        self._load = load

    async def reply(self, reply: Reply, source: Source) -> Outgoing:
        """Any reply of the workflow."""
        match reply:
            case Note(text):
                return Outgoing(text)
            case Accepted(note):
                return Outgoing(note)
            case Shown(note, card):
                return await self.card(card, source, note)
            case Panel():
                return Outgoing(panel_text(reply))
            case Which():
                shots = await self._thumbnails([(c.image, c.version, c.instruction) for c in reply.choices])
                return Outgoing(view=which_layout(reply, shots), shots=shots)
            case History():
                shots = await self._versions(reply.cards)
                return Outgoing(view=history_layout(reply, shots), shots=shots)
            case _:
                return Outgoing(reply.text)

    async def card(self, card: Card, source: Source, opening: str = "") -> Outgoing:
        """A card in its state; pictures only once it is done."""
        shots = await self._before_and_after(card, source) if card.state is CardState.DONE else ()
        return Outgoing(view=card_layout(card, shots, source.guild, opening), shots=shots)

    async def _before_and_after(self, card: Card, source: Source) -> Sequence[Shot]:
        about_before, about_after = alt_texts(card)
        shots = []
        if card.before and (before := await self._before(card.before)):
            shots.append(Shot(before, f"{card.turn_id}-before", about_before))
        if card.after:
            png = await self._load(card.after)
            after = await asyncio.to_thread(result_file, png, source.file_limit)
            shots.append(Shot(after, f"{card.turn_id}-{card.version}", about_after))
        return shots

    async def _before(self, key: str) -> PictureFile | None:
        """A light copy of a picture; None when it was deleted meanwhile."""
        try:
            return await asyncio.to_thread(before_file, await self._load(key))
        except PictureMissing:
            return None

    async def _versions(self, cards: Sequence[Card]) -> Sequence[Shot]:
        done = [card for card in cards if card.after][-GALLERY_LIMIT:]
        return await self._thumbnails([(c.after or "", c.version, c.instruction) for c in done])

    async def _thumbnails(self, pictures: Sequence[tuple[str, str, str]]) -> Sequence[Shot]:
        """Light copies of pictures given as key, version, instruction."""
        shots = []
        for key, version, instruction in pictures:
            if file := await self._before(key):
                alt = f"{version}: {instruction}" if instruction else f"{version}: as uploaded"
                shots.append(Shot(file, version, alt))
        return shots
