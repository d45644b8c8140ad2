"""How the world looks on the wire, in the shapes of Discord's API v10."""

from collections.abc import Iterable
from typing import Any

from tests.support.discord_server.ids import born_at
from tests.support.discord_server.world import (
    DM,
    FORUM,
    THREAD,
    VOICE,
    Channel,
    Json,
    Message,
    Person,
    Upload,
    World,
)

PERMISSION_BITS = {
    "administrator": 1 << 3,
    "manage_guild": 1 << 5,
    "view_channel": 1 << 10,
    "send_messages": 1 << 11,
    "manage_messages": 1 << 13,
    "embed_links": 1 << 14,
    "attach_files": 1 << 15,
    "read_message_history": 1 << 16,
    "create_public_threads": 1 << 35,
    "send_messages_in_threads": 1 << 38,
}
MODERATORS_MAY = sum(PERMISSION_BITS.values()) & ~PERMISSION_BITS["administrator"]
EVERYONE_MAY = MODERATORS_MAY & ~(PERMISSION_BITS["manage_messages"] | PERMISSION_BITS["manage_guild"])
READERS_MAY = EVERYONE_MAY & ~(PERMISSION_BITS["send_messages"] | PERMISSION_BITS["send_messages_in_threads"])


def person(who: Person) -> Json:
    return {
        "id": str(who.id),
        "username": who.name,
        "discriminator": "0",
        "global_name": None if who.bot else who.name.capitalize(),
        "avatar": None,
        "bot": who.bot,
        "public_flags": 0,
        "flags": 0,
        "primary_guild": None,
    }


def me(who: Person) -> Json:
    return {**person(who), "mfa_enabled": True, "locale": "en-US", "verified": True, "email": None}


def member(world: World, who: Person, *, full: bool = True) -> Json:
    """A guild member; inside messages (`full=False`) it comes without the user."""
    shape: Json = {
        "nick": None,
        "avatar": None,
        "banner": None,
        "roles": [str(world.application_id)] if who is world.bot else [],
        "joined_at": born_at(world.guild_id),
        "premium_since": None,
        "communication_disabled_until": None,
        "flags": 0,
        "pending": False,
        "mute": False,
        "deaf": False,
    }
    return {**shape, "user": person(who)} if full else shape


def channel(world: World, place: Channel) -> Json:
    last = max(place.messages, default=None)
    common: Json = {
        "id": str(place.id),
        "type": place.kind,
        "flags": 0,
        "last_message_id": str(last) if last else None,
    }
    if place.kind == DM:
        assert place.recipient is not None
        return {**common, "recipients": [person(place.recipient)]}
    common |= {"guild_id": str(world.guild_id), "name": place.name, "rate_limit_per_user": 0}
    if place.kind == THREAD:
        return common | _thread(world, place)
    if place.kind == VOICE:
        common |= {"bitrate": 64000, "user_limit": 0, "rtc_region": None}
    if place.kind == FORUM:
        common |= {"available_tags": [], "default_sort_order": None, "default_forum_layout": 0}
    return common | {
        "position": 0,
        "parent_id": None,
        "topic": None,
        "nsfw": False,
        "permission_overwrites": _overwrites(world, place),
    }


def _thread(world: World, place: Channel) -> Json:
    assert place.parent is not None
    return {
        "parent_id": str(place.parent.id),
        "owner_id": str(world.owner.id),
        "message_count": len(place.messages),
        "member_count": 2,
        "total_message_sent": len(place.messages),
        "thread_metadata": {
            "archived": False,
            "archive_timestamp": born_at(place.id),
            "auto_archive_duration": 1440,
            "locked": False,
            "create_timestamp": born_at(place.id),
        },
    }


def _overwrites(world: World, place: Channel) -> list[Json]:
    deny = sum(PERMISSION_BITS[name] for name in place.denied)
    denied = {world.guild_id: (0, deny)} if deny else {}
    denied |= {who.id: (1, PERMISSION_BITS["attach_files"]) for who in place.no_files}
    return [
        {"id": str(number), "type": kind, "allow": "0", "deny": str(bits)}
        for number, (kind, bits) in denied.items()
    ]


def permissions_of(world: World, who: Person, place: Channel) -> str:
    """What a person may do in a channel or thread, as interactions say."""
    if who is world.owner:
        return str(MODERATORS_MAY)
    may_not_attach = who in place.no_files or (place.parent is not None and who in place.parent.no_files)
    allowed = READERS_MAY if who.is_muted else EVERYONE_MAY
    return str(allowed & ~(PERMISSION_BITS["attach_files"] if may_not_attach else 0))


def bot_permissions(world: World, place: Channel) -> str:
    """What `app_permissions` says in an interaction from `place`."""
    denied = sum(PERMISSION_BITS[name] for name in place.denied)
    granted = sum(PERMISSION_BITS[name] for name in world.granted)
    if "administrator" in world.granted:
        return str(MODERATORS_MAY | granted)
    return str((EVERYONE_MAY | granted) & ~denied)


def reaction(world: World, emoji: str, people: list[Person]) -> Json:
    """One emoji under a message, as the bot sees it."""
    return {
        "emoji": {"id": None, "name": emoji},
        "count": len(people),
        "count_details": {"burst": 0, "normal": len(people)},
        "burst_colors": [],
        "me": world.bot in people,
        "me_burst": False,
    }


SNAPSHOT_FIELDS = (
    "type",
    "content",
    "mentions",
    "mention_roles",
    "attachments",
    "embeds",
    "timestamp",
    "edited_timestamp",
    "flags",
    "components",
    "sticker_items",
)


def sticker(item: Upload) -> Json:
    """A sticker of a message: a PNG."""
    return {"id": str(item.id), "name": item.filename, "format_type": 1}


class Pages:
    """Shapes that hold CDN addresses, and so need to know where the CDN is."""

    def __init__(self, world: World, cdn: str) -> None:
        self._world, self.cdn = world, cdn

    def url(self, upload: Upload) -> str:
        """The signed address of an upload; it expires when `world.signature` moves on."""
        kind = "ephemeral-attachments" if upload.ephemeral else "attachments"
        signed = f"ex=7fffffff&is=1&hm={self._world.signature:x}"
        return f"{self.cdn}/{kind}/{upload.channel_id}/{upload.id}/{upload.filename}?{signed}"

    def attachment(self, upload: Upload) -> Json:
        url = self.url(upload)
        shape: Json = {
            "id": str(upload.id),
            "filename": upload.filename,
            "size": len(upload.data),
            "url": url,
            "proxy_url": url,
            "content_type": upload.content_type,
        }
        if upload.description is not None:
            shape["description"] = upload.description
        if upload.size_px:
            shape["width"], shape["height"] = upload.size_px
        if upload.ephemeral:
            shape["ephemeral"] = True
        return shape

    def message(
        self, note: Message, *, content: bool = True, nested: bool = True, shows_referenced: bool = True
    ) -> Json:
        """A message; `content=False` empties what needs the message-content intent.

        `shows_referenced`: the same for the message it replies to.
        """
        world = self._world
        in_components = {media["attachment"] for media in _media(note.components)}
        shown = [u for u in note.uploads if u.id not in in_components]
        shape: Json = {
            "id": str(note.id),
            "type": note.kind,
            "channel_id": str(note.channel.id),
            "author": person(note.author),
            "content": note.content if content else "",
            "attachments": [self.attachment(u) for u in shown] if content else [],
            "components": self._components(note.components) if content else [],
            "embeds": note.embeds if content else [],
            "mentions": [person(who) for who in note.mentions],
            "mention_roles": [str(role) for role in note.role_mentions],
            "mention_everyone": "@everyone" in note.content and not note.author.bot,
            "timestamp": born_at(note.id),
            "edited_timestamp": born_at(world.ids.next()) if note.edits else None,
            "flags": note.flags,
            "pinned": False,
            "tts": False,
        }
        if note.reactions:
            shape["reactions"] = [reaction(world, emoji, who) for emoji, who in note.reactions.items()]
        if note.stickers and content:
            shape["sticker_items"] = [sticker(item) for item in note.stickers]
        if note.forward_of is not None:
            if nested:  # else the published description knows replies only
                shape["message_reference"] = self._reference(note.forward_of) | {"type": 1}
            copy = self.message(note.forward_of, content=content, nested=False)
            shape["message_snapshots"] = [{"message": {k: copy[k] for k in SNAPSHOT_FIELDS if k in copy}}]
        if note.webhook_id is not None:
            shape["webhook_id"] = str(note.webhook_id)
        if note.author is world.bot:
            shape["application_id"] = str(world.application_id)
        if note.reply_to is not None:
            shape["message_reference"] = self._reference(note.reply_to)
            if nested:
                shape["referenced_message"] = self.referenced(note.reply_to, content=shows_referenced)
        return shape

    def _reference(self, message: Message) -> Json:
        shape: Json = {"type": 0, "channel_id": str(message.channel.id), "message_id": str(message.id)}
        if message.channel.kind != DM:
            shape["guild_id"] = str(self._world.guild_id)
        return shape

    def referenced(self, message: Message, *, content: bool = True) -> Json | None:
        """The replied-to message as it comes along; None once it is deleted."""
        if message.id not in message.channel.messages:
            return None
        return {
            k: v for k, v in self.message(message, content=content, nested=False).items() if k != "reactions"
        }

    def _components(self, components: Iterable[Json]) -> list[Json]:
        return [self._component(c) for c in components]

    def _component(self, value: Any) -> Any:
        """The same tree with every upload pointer replaced by the address it has today."""
        if isinstance(value, list):
            return [self._component(v) for v in value]
        if not isinstance(value, dict):
            return value
        if "attachment" in value:
            upload = self._world.uploads[value["attachment"]]
            width, height = upload.size_px or (None, None)
            url = self.url(upload)
            return {
                "id": str(upload.id),
                "url": url,
                "proxy_url": url,
                "width": width,
                "height": height,
                "content_type": upload.content_type,
                "attachment_id": str(upload.id),
            }
        return {key: self._component(v) for key, v in value.items()}


def _media(value: Any) -> Iterable[Json]:
    if isinstance(value, list):
        for v in value:
            yield from _media(v)
    elif isinstance(value, dict):
        if "attachment" in value:
            yield value
        else:
            for v in value.values():
                yield from _media(v)
