"""What exists on the loopback Discord: one guild, its channels, people, messages, uploads and commands.

Plain state without sockets; how it looks on the wire is in shapes.py.
"""

import io
import mimetypes
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from tests.support.discord_server.ids import Snowflakes

Json = dict[str, Any]

TEXT, DM, VOICE, THREAD, FORUM = 0, 1, 2, 11, 15
EPHEMERAL, LOADING, COMPONENTS_V2 = 1 << 6, 1 << 7, 1 << 15
DEFAULT, REPLY, COMMAND = 0, 19, 20


class ApiError(Exception):
    """An answer in Discord's error shape: HTTP status, JSON error code, sentence."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(eq=False, slots=True)
class Person:
    """Somebody with an account; the bot is one too."""

    id: int
    name: str
    bot: bool = False
    webhook: bool = False  # no account: a name under which an integration posts into a channel
    locale: str = "en-US"  # the language of this person's client
    is_muted: bool = False  # may read, but not write


@dataclass(eq=False, slots=True)
class Upload:
    """A file on the CDN."""

    id: int
    channel_id: int
    filename: str
    data: bytes
    content_type: str
    description: str | None = None
    size_px: tuple[int, int] | None = None
    ephemeral: bool = False


@dataclass(eq=False, slots=True)
class Message:
    """One message; `components` are as sent, with media pointing at uploads by id."""

    id: int
    channel: "Channel"
    author: Person
    content: str = ""
    uploads: list[Upload] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    mentions: list[Person] = field(default_factory=list)
    pings: set[int] = field(default_factory=set)  # whom a message of the bot notifies
    flags: int = 0
    kind: int = DEFAULT
    nonce: str | None = None
    reply_to: "Message | None" = None
    edits: int = 0
    reactions: dict[str, list[Person]] = field(default_factory=dict)  # emoji → who
    role_mentions: list[int] = field(default_factory=list)
    embeds: list[Json] = field(default_factory=list)
    stickers: list[Upload] = field(default_factory=list)
    forward_of: "Message | None" = None
    webhook_id: int | None = None  # where it came by a webhook; answers to interactions do, too

    @property
    def is_ephemeral(self) -> bool:
        return bool(self.flags & EPHEMERAL)


@dataclass(eq=False, slots=True)
class Channel:
    """A text channel, thread or DM; `denied` names the permissions the bot lacks there.

    In a `foreign` one the bot is no member: people who installed it for themselves use its commands there.
    Where it also `hides_apps`, others see no answer of such bots. `no_files`: who may not attach files there.
    """

    id: int
    name: str
    kind: int = TEXT
    recipient: Person | None = None
    parent: "Channel | None" = None
    messages: dict[int, Message] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    foreign: bool = False
    hides_apps: bool = False
    no_files: list[Person] = field(default_factory=list)
    members: list[Person] = field(default_factory=list)  # of a thread, those whom the bot added
    typing: list[float] = field(default_factory=list)  # monotonic seconds of each typing request


class World:
    """One guild and everybody in it."""

    def __init__(self, now_s: Callable[[], float] = time.time) -> None:
        self.ids = Snowflakes(now_s)
        self.guild_id = self.ids.next()
        self.guild_name = "Picture Club"
        self.premium_tier = 0
        self.people: dict[int, Person] = {}
        self.channels: dict[int, Channel] = {}
        self.uploads: dict[int, Upload] = {}
        self.commands: list[Json] = []
        self.granted: set[str] = set()  # what the bot may do in the guild beyond what everybody may
        self.deleted_by_bot: list[Message] = []
        self.hides_referenced = False  # whether replied-to messages come empty without the content intent
        self.nonces: dict[tuple[int, str], Message] = {}  # as remembered for "the past few minutes"
        self.signature = 1  # part of every signed CDN address; raising it lets the old ones expire
        self.bot = self.add_person("mgie", bot=True)
        self.owner = self.add_person("olga")

    @property
    def application_id(self) -> int:
        return self.bot.id

    @property
    def filesize_limit(self) -> int:
        """Bytes allowed per file, by boost tier."""
        return {2: 50, 3: 100}.get(self.premium_tier, 10) * 1024 * 1024

    def add_person(self, name: str, *, bot: bool = False) -> Person:
        person = Person(self.ids.next(), name, bot)
        self.people[person.id] = person
        return person

    def add_webhook(self, name: str) -> Person:
        webhook = self.add_person(name, bot=True)
        webhook.webhook = True
        return webhook

    def add_channel(self, name: str, *, foreign: bool = False, kind: int = TEXT) -> Channel:
        return self._keep(Channel(self.ids.next(), name, kind, foreign=foreign))

    def add_thread(self, parent: Channel, name: str, channel_id: int | None = None) -> Channel:
        return self._keep(Channel(channel_id or self.ids.next(), name, THREAD, parent=parent))

    def dm_with(self, person: Person) -> Channel:
        """The DM channel of the bot and `person`, made on first use."""
        known = (c for c in self.channels.values() if c.kind == DM and c.recipient is person)
        return next(known, None) or self._keep(Channel(self.ids.next(), person.name, DM, recipient=person))

    def _keep(self, channel: Channel) -> Channel:
        self.channels[channel.id] = channel
        return channel

    def channel(self, channel_id: int) -> Channel:
        """The channel, or Discord's 10003."""
        if channel_id not in self.channels:
            raise ApiError(404, 10003, "Unknown Channel")
        return self.channels[channel_id]

    def message(self, channel_id: int, message_id: int) -> Message:
        """The message, or Discord's 10008."""
        message = self.channel(channel_id).messages.get(message_id)
        if message is None:
            raise ApiError(404, 10008, "Unknown Message")
        return message

    def permit(self, channel: Channel, *needed: str) -> None:
        """Raise Discord's 50001 or 50013 where the bot lacks one of the `needed` permissions."""
        is_admin = "administrator" in self.granted and channel.kind != DM  # then nothing is denied
        denied = set() if is_admin else channel.denied
        if "view_channel" in denied or channel.foreign:
            raise ApiError(403, 50001, "Missing Access")
        may_manage = is_admin or "manage_messages" in self.granted
        if denied.intersection(needed) or ("manage_messages" in needed and not may_manage):
            raise ApiError(403, 50013, "Missing Permissions")

    def upload(
        self,
        channel: Channel,
        filename: str,
        data: bytes,
        description: str | None = None,
        *,
        ephemeral: bool = False,
    ) -> Upload:
        kind = mimetypes.guess_type(filename)[0] or "application/octet-stream"
        upload = Upload(self.ids.next(), channel.id, filename, data, kind, description, picture_size(data))
        upload.ephemeral = ephemeral
        self.uploads[upload.id] = upload
        return upload

    def history(
        self, channel: Channel, limit: int, before: int | None, after: int | None
    ) -> Sequence[Message]:
        """Newest first, as the API lists them; with `after` the oldest `limit` of the newer ones."""
        found = sorted(channel.messages)
        if after is not None:
            found = [i for i in found if i > after][:limit]
        elif before is not None:
            found = [i for i in found if i < before][-limit:]
        else:
            found = found[-limit:]
        return [channel.messages[i] for i in reversed(found)]


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Width and height where `data` is a picture Pillow knows by its first bytes."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return picture.size
    except Exception:  # anything at all may be uploaded; Discord then just leaves the size out
        return None
