"""Posting, editing and deleting messages, by the bot (REST) and by the people of a test."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from tests.support.discord_server import gateway as gw
from tests.support.discord_server import limits, shapes
from tests.support.discord_server.bodies import Body
from tests.support.discord_server.gateway import Gateway
from tests.support.discord_server.world import (
    COMPONENTS_V2,
    DM,
    REPLY,
    THREAD,
    ApiError,
    Channel,
    Json,
    Message,
    Person,
    Upload,
    World,
)


class PostOffice:
    """Keeps messages and tells the gateway about them."""

    def __init__(self, world: World, pages: shapes.Pages, gateway: Gateway) -> None:
        self.world, self.pages, self.gateway = world, pages, gateway

    # what the bot does by REST

    def send(self, channel: Channel, body: Body) -> Message:
        """A message by the bot; the same enforced nonce twice gives the first message again."""
        payload = body.json or {}
        self._permit(channel, payload, body)
        nonce = str(payload["nonce"]) if payload.get("nonce") else None
        known = self.world.nonces.get((channel.id, nonce)) if nonce else None
        if known is not None and payload.get("enforce_nonce"):
            return known
        message = self.compose(channel, self.world.bot, payload, body.files)
        message.nonce = nonce
        if nonce:
            self.world.nonces[channel.id, nonce] = message
        self.publish(message)
        return message

    def _permit(self, channel: Channel, payload: Json, body: Body) -> None:
        needed = ["send_messages_in_threads" if channel.kind == THREAD else "send_messages"]
        needed += ["attach_files"] if body.files else []
        needed += ["read_message_history"] if payload.get("message_reference") else []
        self.world.permit(channel, *needed)

    def compose(
        self, channel: Channel, author: Person, payload: Json, files: dict[int, tuple[str, bytes]]
    ) -> Message:
        """The message a payload describes, checked but not yet published."""
        flags = payload.get("flags") or 0
        limits.check_message(payload, flags)
        limits.check_files((data for _, data in files.values()), self.world.filesize_limit)
        message = Message(self.world.ids.next(), channel, author, payload.get("content") or "", flags=flags)
        message.uploads = self._uploads(channel, payload.get("attachments") or [], files)
        components = _pointing(payload.get("components") or [], message.uploads)
        message.components = limits.as_stored(components)
        if not (message.content or message.uploads or message.components):
            raise ApiError(400, 50006, "Cannot send an empty message")
        self._refer(message, payload)
        texts = [message.content, *(c.get("content") or "" for c in limits.every_component(components))]
        named = {int(number) for text in texts for number in re.findall(r"<@!?(\d+)>", text)}
        allowed = set(map(int, (payload.get("allowed_mentions") or {}).get("users") or ()))
        message.pings = named & allowed | {who.id for who in message.mentions}
        return message

    def _refer(self, message: Message, payload: Json) -> None:
        if reference := payload.get("message_reference"):
            target = message.channel.messages.get(int(reference["message_id"]))
            if target is None and reference.get("fail_if_not_exists", True):
                raise limits.invalid("message_reference", "Unknown message")
            message.reply_to, message.kind = target, REPLY if target else message.kind
            pinged = (payload.get("allowed_mentions") or {}).get("replied_user", True)
            message.mentions = [target.author] if target and pinged else []

    def _uploads(
        self, channel: Channel, listed: Sequence[Json], files: dict[int, tuple[str, bytes]]
    ) -> list[Upload]:
        about = {int(item["id"]): item for item in listed}
        return [
            self.world.upload(channel, name, data, about.get(n, {}).get("description"))
            for n, (name, data) in files.items()
        ]

    def edit(self, message: Message, body: Body) -> Message:
        """Change a message of the bot; uploads that `attachments` does not list are removed."""
        payload = body.json or {}
        if message.author is not self.world.bot:
            raise ApiError(403, 50005, "Cannot edit a message authored by another user")
        flags = message.flags | (payload.get("flags") or 0) & COMPONENTS_V2
        limits.check_message(payload, flags)
        limits.check_files((data for _, data in body.files.values()), self.world.filesize_limit)
        listed = payload.get("attachments")
        kept = message.uploads
        if listed is not None:
            wanted = {int(item["id"]) for item in listed}
            kept = [u for u in message.uploads if u.id in wanted]
        uploads = kept + self._uploads(message.channel, listed or [], body.files)
        if payload.get("components") is not None:
            message.components = limits.as_stored(_pointing(payload["components"], uploads))
        if "content" in payload:
            message.content = payload["content"] or ""
        message.uploads, message.flags, message.edits = uploads, flags, message.edits + 1
        if not message.is_ephemeral:
            self._tell("MESSAGE_UPDATE", message)
        return message

    # what everybody does

    def publish(self, message: Message) -> None:
        """Put a composed message into its channel and tell the gateway."""
        message.channel.messages[message.id] = message
        self._tell("MESSAGE_CREATE", message)

    def open_thread(self, parent: Channel, name: str, channel_id: int | None = None) -> Channel:
        """Begin a thread and tell the gateway."""
        thread = self.world.add_thread(parent, name, channel_id)
        shape = shapes.channel(self.world, thread)
        self.gateway.dispatch("THREAD_CREATE", {**shape, "newly_created": True}, gw.GUILDS)
        return thread

    def delete_thread(self, thread: Channel) -> None:
        """Delete a thread and tell the gateway."""
        assert thread.parent is not None
        del self.world.channels[thread.id]
        names = {"id": thread.id, "guild_id": self.world.guild_id, "parent_id": thread.parent.id}
        shape = {name: str(number) for name, number in names.items()} | {"type": thread.kind}
        self.gateway.dispatch("THREAD_DELETE", shape, gw.GUILDS)

    def react(self, message: Message, person: Person, emoji: str) -> None:
        """Put an emoji under a message and tell the gateway."""
        people = message.reactions.setdefault(emoji, [])
        if person in people:
            return
        people.append(person)
        body: Json = {
            "user_id": str(person.id),
            "channel_id": str(message.channel.id),
            "message_id": str(message.id),
            "message_author_id": str(message.author.id),
            "emoji": {"id": None, "name": emoji},
            "burst": False,
            "burst_colors": [],
            "type": 0,
        }
        if message.channel.kind != DM:
            body["guild_id"] = str(self.world.guild_id)
            body["member"] = shapes.member(self.world, person)
        in_dm = message.channel.kind == DM
        self.gateway.dispatch(
            "MESSAGE_REACTION_ADD", body, gw.DIRECT_REACTIONS if in_dm else gw.GUILD_REACTIONS
        )

    def rewrite(self, message: Message, content: str) -> None:
        """Change the words of a person's message and tell the gateway."""
        message.content, message.edits = content, message.edits + 1
        self._tell("MESSAGE_UPDATE", message)

    def delete(self, message: Message) -> None:
        message.channel.messages.pop(message.id, None)
        body: Json = {"id": str(message.id), "channel_id": str(message.channel.id)}
        if message.channel.kind != DM:
            body["guild_id"] = str(self.world.guild_id)
        self.gateway.dispatch("MESSAGE_DELETE", body, self._intent(message.channel))

    def _intent(self, channel: Channel) -> int:
        return gw.DIRECT_MESSAGES if channel.kind == DM else gw.GUILD_MESSAGES

    def _tell(self, event: str, message: Message) -> None:
        self.gateway.dispatch(
            event, lambda intents: self._event(event, message, intents), self._intent(message.channel)
        )

    def _event(self, event: str, message: Message, intents: int) -> Json:
        body = self.pages.message(
            message,
            content=self.may_read(message, intents),
            shows_referenced=self.shows_referenced(message, intents),
        )
        if message.channel.kind != DM:
            body["guild_id"] = str(self.world.guild_id)
            if not message.author.webhook:
                body["member"] = shapes.member(self.world, message.author, full=False)
        if message.nonce and event == "MESSAGE_CREATE":
            body["nonce"] = message.nonce
        return body

    def shows_referenced(self, message: Message, intents: int) -> bool:
        """Whether the message that this one replies to comes with its content; the service does both."""
        referenced = message.reply_to
        return not self.world.hides_referenced or referenced is None or self.may_read(referenced, intents)

    def may_read(self, message: Message, intents: int) -> bool:
        """Whether the content is shown: own messages, DMs, mentions, or with the intent."""
        bot = self.world.bot
        open_to_bot = message.author is bot or bot in message.mentions or message.channel.kind == DM
        return open_to_bot or bool(intents & gw.MESSAGE_CONTENT)


def _pointing(components: Iterable[Json], uploads: Iterable[Upload]) -> list[Json]:
    """The tree with `attachment://name` replaced by a pointer to the upload; an unknown name is 50035."""
    named = {u.filename: u for u in uploads}

    def point(value: Any) -> Any:
        if isinstance(value, list):
            return [point(v) for v in value]
        if not isinstance(value, dict):
            return value
        url = value.get("url")
        if isinstance(url, str) and url.startswith("attachment://"):
            name = url.removeprefix("attachment://")
            if name not in named:
                raise limits.invalid("url", f"The referenced attachment {name!r} was not found")
            return {"attachment": named[name].id}
        return {k: point(v) for k, v in value.items()}

    return [point(c) for c in components]
