"""Images of messages, and those chosen with *Edit this image* until the form is submitted."""

from dataclasses import dataclass

import discord

from bot.discord_chat.ids import MessagePlace, user_key
from bot.discord_chat.inbound.downloads import RemoteFile, first_picture

KEPT = 500


@dataclass(frozen=True, slots=True)
class InboundImage:
    """An image in a message: its file, the user who posted it (None for a bot), and the message's key."""

    file: RemoteFile
    owner: str | None
    message: str


class ChosenImages:
    """The newest chosen images by message id; in memory, since a form does not stay open for long."""

    def __init__(self) -> None:
        self._kept: dict[int, InboundImage] = {}

    def keep(self, message: discord.Message) -> bool:
        """Keep the image of a message; False when there is none."""
        image = inbound_image_of(message)
        if image is None:
            return False
        self._kept.pop(message.id, None)
        self._kept[message.id] = image
        while len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]
        return True

    def of(self, message: int) -> InboundImage | None:
        """The image of that message; None if it was not chosen or was pushed out by newer ones."""
        return self._kept.get(message)


def inbound_image_of(message: discord.Message) -> InboundImage | None:
    """The image of a message; None without one."""
    number = first_picture([(a.filename, a.content_type) for a in message.attachments])
    if number is None:
        return None
    file = message.attachments[number]
    by_machine = message.author.bot or message.webhook_id is not None
    return InboundImage(
        file=RemoteFile(file.url, file.size, file.filename),
        owner=None if by_machine else user_key(message.author.id),
        message=str(MessagePlace(message.channel.id, message.id)),
    )
