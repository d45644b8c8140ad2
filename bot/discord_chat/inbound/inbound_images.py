"""Pictures chosen from the menu of a message, until it is said what should change in them."""

from dataclasses import dataclass

import discord

from bot.discord_chat.ids import MessagePlace, person_key
from bot.discord_chat.inbound.downloads import RemoteFile, first_picture

KEPT = 500


@dataclass(frozen=True, slots=True)
class InboundImage:
    """A picture in a message: the file, who posted it (None for a bot), and the message's key."""

    file: RemoteFile
    owner: str | None
    message: str


class ChosenImages:
    """The latest chosen pictures, by the message that holds them."""

    def __init__(self) -> None:
        self._kept: dict[int, InboundImage] = {}

    def keep(self, message: discord.Message) -> bool:
        """Remember the picture of a message; False when there is none."""
        image = inbound_image_of(message)
        if image is None:
            return False
        self._kept.pop(message.id, None)
        self._kept[message.id] = image
        while len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]
        return True

    def of(self, message: int) -> InboundImage | None:
        """The picture of that message, if it was chosen lately."""
        return self._kept.get(message)


def inbound_image_of(message: discord.Message) -> InboundImage | None:
    """The picture of a message, if it has one."""
    number = first_picture([(a.filename, a.content_type) for a in message.attachments])
    if number is None:
        return None
    file = message.attachments[number]
    by_machine = message.author.bot or message.webhook_id is not None
    return InboundImage(
        file=RemoteFile(file.url, file.size, file.filename),
        owner=None if by_machine else person_key(message.author.id),
        message=str(MessagePlace(message.channel.id, message.id)),
    )
