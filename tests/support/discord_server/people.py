"""What people do and see: say, reply, use commands, press buttons, fill in modals, read answers."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from tests.support.discord_server import limits, shapes
from tests.support.discord_server.changes import Changes
from tests.support.discord_server.gateway import GUILDS
from tests.support.discord_server.interactions import (
    AUTOCOMPLETE,
    COMMAND_USED,
    COMPONENT_USED,
    MODAL_SENT,
    Interaction,
    InteractionDesk,
    modal_inputs,
)
from tests.support.discord_server.post import PostOffice
from tests.support.discord_server.world import DM, REPLY, TEXT, Channel, Json, Message, Person, World

T = TypeVar("T")
STRING, INTEGER, BOOLEAN, NUMBER, ATTACHMENT = 3, 4, 5, 10, 11
TEXT_INPUT, SELECT, LABEL = 4, 3, 18


class SpoilerFile(bytes):
    """A file to upload behind a spoiler."""


class RefusedByDiscord(Exception):
    """The client or the service would not have let this person do that."""


class People:
    """Gestures of people and the ways to look at what came of them."""

    def __init__(self, world: World, post: PostOffice, desk: InteractionDesk, changes: Changes) -> None:
        self.world, self.post, self.desk, self._changes = world, post, desk, changes

    async def wait_for(self, look: Callable[[], T | None], within_s: float = 20.0) -> T:
        """The first truthy answer of `look`, asked again at every change; TimeoutError after `within_s`."""
        return await self._changes.wait_for(look, within_s)

    # messages

    def say(
        self,
        channel: Channel,
        author: Person,
        content: str = "",
        *,
        files: Mapping[str, bytes] | None = None,
        mention: bool = False,
        reply_to: Message | None = None,
        ping: bool = True,
        embeds: Sequence[Json] = (),
        sticker: bytes | None = None,
        number: int | None = None,
    ) -> Message:
        """Post a message as a person; `ping` is the @ of a reply, `number` its id where that is given."""
        text = f"<@{self.world.bot.id}> {content}".strip() if mention else content
        message = Message(number or self.world.ids.next(), channel, author, text, embeds=list(embeds))
        message.stickers = [self.world.upload(channel, "wave.png", sticker)] if sticker else []
        message.webhook_id = author.id if author.webhook else None
        message.uploads = [self.world.upload(channel, name, data) for name, data in (files or {}).items()]
        named = map(int, re.findall(r"<@!?(\d+)>", text))
        message.mentions = [self.world.people[n] for n in named if n in self.world.people]
        message.role_mentions = list(map(int, re.findall(r"<@&(\d+)>", text)))
        if reply_to is not None:
            message.reply_to, message.kind = reply_to, REPLY
            if ping and reply_to.author not in message.mentions:
                message.mentions.append(reply_to.author)
        self.post.publish(message)
        return message

    def forward(self, message: Message, channel: Channel, author: Person) -> Message:
        """Forward a message into a channel."""
        made = Message(self.world.ids.next(), channel, author, forward_of=message)
        self.post.publish(made)
        return made

    def open_channel(self, name: str, kind: int = TEXT, no_files: Sequence[Person] = ()) -> Channel:
        """A channel that was not there before; `no_files`: who may not attach files there."""
        channel = self.world.add_channel(name, kind=kind)
        channel.no_files += no_files
        self.post.gateway.dispatch("CHANNEL_CREATE", shapes.channel(self.world, channel), GUILDS)
        return channel

    def open_thread(self, on: Message, name: str = "talk") -> Channel:
        """Begin a thread on a message."""
        return self.post.open_thread(on.channel, name, on.id)

    def delete_thread(self, thread: Channel) -> None:
        """Delete a thread with everything in it."""
        self.post.delete_thread(thread)

    def open_post(self, forum: Channel, author: Person, content: str = "", **more: Any) -> Message:
        """Begin a post in a forum; its first message."""
        post = self.post.open_thread(forum, "a post")
        return self.say(post, author, content, number=post.id, **more)

    def delete(self, message: Message) -> None:
        self.post.delete(message)

    def rewrite(self, message: Message, content: str) -> None:
        """Edit one's own message; a mention it began with stays."""
        mention = f"<@{self.world.bot.id}>"
        self.post.rewrite(message, f"{mention} {content}" if message.content.startswith(mention) else content)

    def react(self, message: Message, person: Person, emoji: str) -> None:
        self.post.react(message, person, emoji)

    # commands

    def slash(self, channel: Channel, person: Person, command: str, /, **options: Any) -> Interaction:
        """Use a command such as "edit" or "session undo"; bytes are uploaded for attachment options."""
        data, leaf = self._command(command)
        self._check_allowed(command, channel, person)
        uploads: dict[str, Json] = {}
        leaf["options"] = [
            self._option(channel, leaf["known"], name, value, uploads) for name, value in options.items()
        ]
        self._check_required(leaf.pop("known"), options)
        if uploads:
            data["resolved"] = {"attachments": uploads}
        if named := [value for value in options.values() if isinstance(value, Person)]:
            data["resolved"] = {"users": {str(who.id): shapes.person(who) for who in named}}
        return self.desk.begin(COMMAND_USED, person, channel, data)

    def _check_allowed(self, command: str, channel: Channel, person: Person) -> None:
        """In a server, commands may ask for a right of those who use them; some stay within servers."""
        registered = next(
            c for c in self.world.commands if c["name"] == command.split()[0] and c["type"] == 1
        )
        needed = registered.get("default_member_permissions")
        if needed is not None and channel.kind != DM and person is not self.world.owner:
            raise RefusedByDiscord(f"/{command} is not for {person.name}")
        if 1 not in (registered.get("contexts") or [0, 1, 2]) and channel.kind == DM:
            raise RefusedByDiscord(f"/{command} is for servers only")

    def menu(self, message: Message, person: Person, name: str) -> Interaction:
        """Choose an entry of the bot's in the menu of a message."""
        registered = next((c for c in self.world.commands if (c["name"], c["type"]) == (name, 3)), None)
        if registered is None:
            raise RefusedByDiscord(f"no menu entry {name}")
        data: Json = {
            "id": registered["id"],
            "name": name,
            "type": 3,
            "target_id": str(message.id),
            "resolved": {"messages": {str(message.id): self.shown(message)}},
        }
        return self.desk.begin(COMMAND_USED, person, message.channel, data)

    def autocomplete(
        self, channel: Channel, person: Person, command: str, focused: str, typed: str, **options: Any
    ) -> Interaction:
        """Type into an option that completes itself."""
        data, leaf = self._command(command)
        known = leaf.pop("known")
        leaf["options"] = [self._option(channel, known, n, v, {}) for n, v in options.items()]
        leaf["options"].append({"name": focused, "type": STRING, "value": typed, "focused": True})
        return self.desk.begin(AUTOCOMPLETE, person, channel, data)

    def _command(self, command: str) -> tuple[Json, Json]:
        """The data of a registered command, and the part of it that takes options."""
        name, *sub = command.split()
        registered = next((c for c in self.world.commands if c["name"] == name and c["type"] == 1), None)
        if registered is None:
            raise RefusedByDiscord(
                f"/{name} is not registered; known: {[c['name'] for c in self.world.commands]}"
            )
        data: Json = {"id": registered["id"], "name": name, "type": 1, "known": registered.get("options", [])}
        leaf = data
        for part in sub:
            inner = next(o for o in leaf.pop("known") if o["name"] == part)
            leaf["options"] = [{"name": part, "type": inner["type"], "known": inner.get("options", [])}]
            leaf = leaf["options"][0]
        return data, leaf

    def _option(
        self, channel: Channel, known: list[Json], name: str, value: Any, uploads: dict[str, Json]
    ) -> Json:
        option = next((o for o in known if o["name"] == name), None)
        if option is None:
            raise RefusedByDiscord(f"no option {name}; known: {[o['name'] for o in known]}")
        if option["type"] == ATTACHMENT:
            value = self._uploaded(channel, name, value, uploads)
        elif isinstance(value, Person):
            value = str(value.id)
        _check_range(option, value)
        return {"name": name, "type": option["type"], "value": value}

    def _uploaded(self, channel: Channel, name: str, data: bytes, uploads: dict[str, Json]) -> str:
        """Upload a file for an option or an input; its id, noted in `uploads`."""
        prefix = "SPOILER_" if isinstance(data, SpoilerFile) else ""
        upload = self.world.upload(channel, f"{prefix}{name}.png", data, ephemeral=True)
        uploads[str(upload.id)] = self.post.pages.attachment(upload)
        return str(upload.id)

    def _check_required(self, known: list[Json], given: Mapping[str, Any]) -> None:
        missing = [o["name"] for o in known if o.get("required") and o["name"] not in given]
        if missing:
            raise RefusedByDiscord(f"missing options: {missing}")

    # buttons, selects and modals

    def press(self, message: Message, label: str, person: Person) -> Interaction:
        """Press the button whose label or custom_id is `label`."""
        button = next((b for b in buttons_of(message) if label in (b.get("label"), b["custom_id"])), None)
        if button is None or button.get("disabled"):
            raise RefusedByDiscord(
                f"no such button; there are {[b.get('label') for b in buttons_of(message)]}"
            )
        data = {"component_type": limits.BUTTON, "custom_id": button["custom_id"], "id": button["id"]}
        return self.desk.begin(COMPONENT_USED, person, message.channel, data, message)

    def choose(self, message: Message, person: Person, *values: str) -> Interaction:
        """Choose in the first select menu of a message."""
        select = next(c for c in limits.every_component(message.components) if c["type"] == SELECT)
        data = {"component_type": SELECT, "custom_id": select["custom_id"], "id": select["id"]}
        return self.desk.begin(
            COMPONENT_USED, person, message.channel, data | {"values": list(values)}, message
        )

    def fill_in(self, opened: Interaction, **values: str | bytes) -> Interaction:
        """Send the modal an interaction opened; what is not named keeps its prefilled value.

        Bytes are uploaded.
        """
        assert opened.modal is not None, "no modal was opened"
        inputs = {i["custom_id"]: i for i in modal_inputs(opened.modal)}
        unknown = values.keys() - inputs.keys()
        if unknown:
            raise RefusedByDiscord(f"no inputs {unknown}; there are {list(inputs)}")
        uploads: dict[str, Json] = {}
        texts = {
            name: self._uploaded(opened.channel, name, value, uploads) if isinstance(value, bytes) else value
            for name, value in values.items()
        }
        components = [
            {"type": LABEL, "id": n, "component": _filled(i, texts.get(i["custom_id"]), n)}
            for n, i in enumerate(inputs.values(), 1)
        ]
        data: Json = {"custom_id": opened.modal["custom_id"], "components": components}
        if uploads:
            data["resolved"] = {"attachments": uploads}
        return self.desk.begin(MODAL_SENT, opened.person, opened.channel, data, opened.message)

    # looking

    def messages_of_bot(self, channel: Channel) -> list[Message]:
        return [m for m in channel.messages.values() if m.author is self.world.bot]

    def answers_to(self, asked: Message) -> list[Message]:
        """The bot's messages that reply to `asked`, oldest first."""
        return [m for m in self.messages_of_bot(asked.channel) if m.reply_to is asked]

    def dm(self, person: Person) -> Channel:
        return self.world.dm_with(person)

    def shown(self, message: Message) -> Json:
        """The message as clients get it."""
        return self.post.pages.message(message)


def text_of(message: Message) -> str:
    """Everything a message says, content and text displays, one per line."""
    displays = (c["content"] for c in limits.every_component(message.components) if "content" in c)
    return "\n".join([message.content, *displays]).strip()


def buttons_of(message: Message) -> list[Json]:
    """The buttons of a message that can be pressed."""
    every = limits.every_component(message.components)
    return [c for c in every if c["type"] == limits.BUTTON and "custom_id" in c]


def gallery_of(message: Message, world: World) -> list[tuple[bytes, str]]:
    """The pictures of the message's galleries, each with its alt text."""
    items = [
        item
        for c in limits.every_component(message.components)
        if c["type"] == limits.GALLERY
        for item in c["items"]
    ]
    return [(world.uploads[i["media"]["attachment"]].data, i["description"] or "") for i in items]


def _check_range(option: Json, value: Any) -> None:
    low, high = option.get("min_value"), option.get("max_value")
    if option["type"] in (INTEGER, NUMBER) and not (low is None or low <= value) & (
        high is None or value <= high
    ):
        raise RefusedByDiscord(f"{option['name']} must be between {low} and {high}")
    if option["type"] == STRING and len(value) > option.get("max_length", 6000):
        raise RefusedByDiscord(f"{option['name']} is longer than {option['max_length']}")
    choices = [c["value"] for c in option.get("choices") or []]
    if choices and value not in choices:
        raise RefusedByDiscord(f"{option['name']} must be one of {choices}")


def _filled(component: Json, value: str | None, number: int) -> Json:
    """One input of a modal as it is sent back."""
    sent: Json = {"type": component["type"], "id": number + 100, "custom_id": component["custom_id"]}
    if component["type"] == TEXT_INPUT:
        text = component.get("value") or "" if value is None else value
        if len(text) > (component.get("max_length") or 4000):
            raise RefusedByDiscord("the text is too long for its input")
        return sent | {"value": text}
    options = component.get("options", [])
    default = next((o["value"] for o in options if o.get("default")), None)
    chosen = default if value is None else value
    return sent | ({"value": chosen} if component["type"] == 21 else {"values": [chosen] if chosen else []})
