"""The pictures of a message: attachments, forwards, embeds, stickers, links to Discord's own hosts."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol
from urllib.parse import urlsplit

import discord

from bot.chat.offered_pictures import OfferedFile, OfferedPictures, PictureOffer, offer_of
from bot.discord_chat.ids import MessagePlace, user_key
from bot.discord_chat.inbound.downloads import Downloads, RemoteFile
from conversations.errors import PictureRefused
from conversations.messages import Message

KEPT = 500
RECENT_S = 600.0  # how long a picture without words waits for its words
NOT_READ = ("image/svg", "image/tiff")  # tried last, so that they do not block a picture that can be read
BEFORE = "-before."  # in the name of the file that a result shows beside the new picture
REACTION_HOSTS = ("tenor.com", "giphy.com")  # people answer with these, they do not ask to edit them
EXTENSIONS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".heic", ".heif", ".avif")
_LINK = re.compile(r"(\|\|)?\s*<?(https?://[^\s<>|]+)")


class HasPictures(Protocol):
    """A message or a forwarded copy of one, as far as pictures are concerned."""

    content: str
    attachments: list[discord.Attachment]
    embeds: list[discord.Embed]
    stickers: list[discord.StickerItem]


@dataclass(frozen=True, slots=True)
class FoundPictures:
    """The files of a message that may be pictures, best first.

    `has_foreign_link`: there are none, but a link to a host that the bot does not open.
    """

    files: tuple[RemoteFile, ...]
    has_foreign_link: bool = False


def pictures_in(message: discord.Message, may_open: Callable[[str], bool]) -> FoundPictures:
    """The pictures of a message. `may_open`: whether a URL is on a host of Discord."""
    parts: list[HasPictures] = [message, *message.message_snapshots]
    attached = [attachment for part in parts for attachment in part.attachments if _is_picture(attachment)]
    found = [remote_file(attachment) for attachment in sorted(attached, key=_is_not_read)]
    found += [file for file in _of_forwarded_cards(message) if may_open(file.url)]
    has_words = bool(message.content.strip())
    for part in parts:
        found += [file for embed in part.embeds if (file := _embedded(embed, may_open))]
        found += [_sticker(item) for item in part.stickers if has_words and _is_still(item)]
        found += [file for file in _linked(part.content) if may_open(file.url)]
    if found:
        return FoundPictures(tuple(dict.fromkeys(found)))
    others = [attachment for part in parts for attachment in part.attachments]
    links = any(not may_open(file.url) for part in parts for file in _linked(part.content))
    return FoundPictures(tuple(map(remote_file, others[:1])), has_foreign_link=links and not others)


def has_picture(message: discord.Message) -> bool:
    """Whether a message holds a file that is a picture by its type; audio and documents are none."""
    parts: list[HasPictures] = [message, *message.message_snapshots]
    attached = any(_is_picture(attachment) for part in parts for attachment in part.attachments)
    return attached or any(_of_forwarded_cards(message))


def offer_in(message: discord.Message, downloads: Downloads) -> PictureOffer | None:
    """The pictures of a message for the workflow; None without any.

    Where it only links to other hosts, looking for them raises PictureRefused.
    """
    found, key = pictures_in(message, downloads.allows), str(MessagePlace(message.channel.id, message.id))
    if found.files:
        return offer_of(_offered(message, found.files, downloads, key))
    return refused_offer(Message("link_not_opened"), key) if found.has_foreign_link else None


def files_offer(downloads: Downloads, *files: RemoteFile) -> PictureOffer:
    """Files that came with a command or a form."""
    return offer_of(OfferedPictures(tuple(_file(file, downloads) for file in files)))


def refused_offer(reason: Message, message: str | None = None) -> PictureOffer:
    """A picture that is there and cannot be used."""

    async def find() -> None:
        raise PictureRefused(f"a picture cannot be used: {reason.code}", reason)

    return PictureOffer(find, message)


def _offered(
    message: discord.Message, files: tuple[RemoteFile, ...], downloads: Downloads, key: str
) -> OfferedPictures:
    return OfferedPictures(
        files=tuple(_file(file, downloads) for file in files),
        message=key,
        owner=user_key(message.author.id),
        is_free=message.author.bot or message.webhook_id is not None,
    )


def _file(file: RemoteFile, downloads: Downloads) -> OfferedFile:
    return OfferedFile(partial(downloads.fetch, file), file.is_spoiler)


def remote_file(attachment: discord.Attachment) -> RemoteFile:
    """An attachment, to be downloaded."""
    return RemoteFile(attachment.url, attachment.size, attachment.filename, attachment.is_spoiler())


def _is_picture(attachment: discord.Attachment) -> bool:
    if attachment.content_type:
        return attachment.content_type.startswith("image/")
    return attachment.filename.lower().endswith(EXTENSIONS)


def _is_not_read(attachment: discord.Attachment) -> bool:
    return (attachment.content_type or "").startswith(NOT_READ)


def _of_forwarded_cards(message: discord.Message) -> list[RemoteFile]:
    """The pictures of forwarded cards, such as results of the bot: the picture before an edit last."""
    shown = [file for copy in message.message_snapshots for file in _in_galleries(copy.components)]
    return sorted(shown, key=lambda file: BEFORE in file.name)


def _in_galleries(components: Iterable[discord.Component]) -> Iterator[RemoteFile]:
    for component in components:
        for item in component.items if isinstance(component, discord.MediaGalleryComponent) else ():
            if (item.media.content_type or "").startswith("image/"):
                name = urlsplit(item.media.url).path.rpartition("/")[2]
                yield RemoteFile(item.media.url, name=name, is_hidden=item.spoiler)
        yield from _in_galleries(getattr(component, "children", ()))


def _embedded(embed: discord.Embed, may_open: Callable[[str], bool]) -> RemoteFile | None:
    """The picture of an embed, from the first of its addresses that may be opened."""
    if embed.type in ("gifv", "video"):
        return None
    addresses = (a for media in (embed.image, embed.thumbnail) for a in (media.proxy_url, media.url))
    return next((RemoteFile(address) for address in addresses if address and may_open(address)), None)


def _is_still(sticker: discord.StickerItem) -> bool:
    return sticker.format is not discord.StickerFormatType.lottie


def _sticker(sticker: discord.StickerItem) -> RemoteFile:
    return RemoteFile(sticker.url, name=sticker.name)


def _linked(text: str) -> Iterator[RemoteFile]:
    """The links of a text that may lead to pictures; one between || is behind a spoiler."""
    for bars, url in _LINK.findall(text):
        try:
            parts = urlsplit(url)
        except ValueError:
            continue
        host, name = (parts.hostname or "").lower(), parts.path.rpartition("/")[2]
        is_reaction = any(host == known or host.endswith(f".{known}") for known in REACTION_HOSTS)
        if not is_reaction and host not in ("discord.com", "discord.gg"):
            yield RemoteFile(url, name=name, is_hidden=bool(bars))


class ChosenImages:
    """Pictures by message id: in memory, since they are needed within minutes."""

    def __init__(self) -> None:
        self._kept: dict[int, PictureOffer] = {}

    def keep(self, message: discord.Message, offer: PictureOffer) -> None:
        """Keep the pictures of a message."""
        self._kept.pop(message.id, None)
        self._kept[message.id] = offer
        while len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]

    def of(self, message: int) -> PictureOffer | None:
        """The pictures of that message; None if it was not chosen or was pushed out by newer ones."""
        return self._kept.get(message)


class RecentPictures:
    """The newest picture that each user posted in each channel without words; forgotten after ten minutes."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock`: seconds, of a clock that cannot be set."""
        self._clock = clock
        self._kept: dict[tuple[int, int], tuple[float, int, PictureOffer]] = {}

    def keep(self, message: discord.Message, offer: PictureOffer) -> None:
        """Its author posted this without words."""
        key = (message.channel.id, message.author.id)
        self._kept.pop(key, None)
        self._kept[key] = (self._clock(), message.id, offer)
        while len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]

    def of(self, channel: int, user: int) -> PictureOffer | None:
        """The picture, if it is recent."""
        at, _, offer = self._kept.get((channel, user), (-RECENT_S, 0, None))
        return offer if self._clock() - at < RECENT_S else None

    def age_s(self, channel: int, user: int) -> float | None:
        """Seconds since the picture was posted; None without one."""
        kept = self._kept.get((channel, user))
        return None if kept is None else self._clock() - kept[0]

    def forget(self, message: int) -> None:
        """The message was deleted."""
        self._kept = {key: kept for key, kept in self._kept.items() if kept[1] != message}
