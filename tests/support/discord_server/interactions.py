"""Slash commands, buttons and modals: the interactions people make and the answers a bot gives to them."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from tests.support.discord_server import limits, shapes
from tests.support.discord_server.bodies import Body
from tests.support.discord_server.post import PostOffice
from tests.support.discord_server.rest import Answer, Handler, number
from tests.support.discord_server.world import (
    COMMAND,
    DM,
    EPHEMERAL,
    LOADING,
    ApiError,
    Channel,
    Json,
    Message,
    Person,
    World,
)

COMMAND_USED, COMPONENT_USED, AUTOCOMPLETE, MODAL_SENT = 2, 3, 4, 5
SAY, DEFER, DEFER_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
ANSWER_WITHIN_S, TOKEN_LIFE_S = 3.0, 900.0


@dataclass(eq=False)
class Interaction:
    """One interaction and everything the bot answered to it."""

    id: int
    kind: int
    person: Person
    channel: Channel
    began_s: float
    message: Message | None = None  # whose button was pressed
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    callback: int | None = None  # the type of the first response
    answered_s: float | None = None
    original: Message | None = None
    followups: list[Message] = field(default_factory=list)
    modal: Json | None = None
    choices: list[Json] | None = None
    expired: bool = False

    @property
    def answer(self) -> Message | None:
        """The first real answer: the original once it is no longer "thinking", else a follow-up."""
        if self.original is not None and not self.original.flags & LOADING:
            return self.original
        return self.followups[0] if self.followups else None


class InteractionDesk:
    """Makes interactions and serves the routes by which they are answered."""

    def __init__(self, world: World, post: PostOffice, monotonic: Callable[[], float]) -> None:
        self.world, self.post, self._now = world, post, monotonic
        self.all: dict[str, Interaction] = {}

    def begin(
        self, kind: int, person: Person, channel: Channel, data: Json, message: Message | None = None
    ) -> Interaction:
        """Make an interaction and tell the bot."""
        made = Interaction(self.world.ids.next(), kind, person, channel, self._now(), message)
        self.all[made.token] = made
        self.post.gateway.dispatch("INTERACTION_CREATE", self._shape(made, data))
        return made

    def _shape(self, made: Interaction, data: Json) -> Json:
        world, channel = self.world, made.channel
        shape: Json = {
            "id": str(made.id),
            "application_id": str(world.application_id),
            "type": made.kind,
            "token": made.token,
            "version": 1,
            "data": data,
            "channel_id": str(channel.id),
            "channel": shapes.channel(world, channel),
            "app_permissions": shapes.bot_permissions(world, channel),
            "locale": made.person.locale,
            "entitlements": [],
            "attachment_size_limit": world.filesize_limit,
        }
        if made.message is not None:
            shape["message"] = self.post.pages.message(made.message)
        if channel.kind == DM:
            return shape | {
                "user": shapes.person(made.person),
                "context": 1,
                "authorizing_integration_owners": {"0": "0"},
            }
        guild = str(world.guild_id)
        owners = {"1": str(made.person.id)} if channel.foreign else {"0": guild}
        allowed = shapes.permissions_of(world, made.person, channel)
        member = {**shapes.member(world, made.person), "permissions": allowed}
        return shape | {
            "guild_id": guild,
            "guild": {"id": guild, "locale": "en-US", "features": []},
            "guild_locale": "en-US",
            "member": member,
            "context": 0,
            "authorizing_integration_owners": owners,
        }

    def routes(self) -> dict[tuple[str, str], Handler]:
        hook = "/webhooks/{webhook_id}/{webhook_token}"
        original, message = hook + "/messages/@original", hook + "/messages/{message_id}"
        return {
            ("POST", "/interactions/{interaction_id}/{interaction_token}/callback"): self.respond,
            ("POST", hook): self.follow_up,
            ("GET", original): self.get_original,
            ("PATCH", original): self.edit_original,
            ("DELETE", original): self.delete_original,
            ("PATCH", message): self.edit_followup,
            ("DELETE", message): self.delete_followup,
        }

    async def respond(self, request: web.Request, body: Body) -> Answer:
        """The initial response: within 3 s, once."""
        made = self.all.get(request.match_info["interaction_token"])
        late = made is None or made.expired or self._now() - made.began_s > ANSWER_WITHIN_S
        if made is None or made.id != number(request, "interaction_id") or late:
            raise ApiError(404, 10062, "Unknown interaction")
        if made.callback is not None:
            raise ApiError(400, 40060, "Interaction has already been acknowledged.")
        payload, kind = body.json.get("data") or {}, body.json["type"]
        self._first_answer(made, kind, payload, body)
        made.callback, made.answered_s = kind, self._now() - made.began_s
        return self._callback_answer(made) if "with_response" in request.query else None

    def _first_answer(self, made: Interaction, kind: int, payload: Json, body: Body) -> None:
        if kind == CHOICES:
            made.choices = payload["choices"]
        elif kind == MODAL:
            made.modal = payload
        elif kind == UPDATE:
            assert made.message is not None
            self.post.edit(made.message, Body(payload, body.files))
        elif kind == DEFER_UPDATE:
            made.original = made.message
        else:
            made.original = self._made(made, payload, body, thinking=kind == DEFER)

    def _made(
        self, made: Interaction, payload: Json, body: Body, *, thinking: bool, flags: int = 0
    ) -> Message:
        """A message that answers an interaction; an ephemeral one is in no channel."""
        if thinking:
            message = Message(self.world.ids.next(), made.channel, self.world.bot)
            message.flags = (payload.get("flags") or 0) & EPHEMERAL | LOADING
        else:
            message = self.post.compose(made.channel, self.world.bot, payload, body.files)
            message.flags |= flags
        message.webhook_id = self.world.application_id
        message.kind = COMMAND if made.kind == COMMAND_USED else message.kind
        if not message.is_ephemeral:
            self.post.publish(message)
        return message

    def _callback_answer(self, made: Interaction) -> Json:
        told: Json = {"id": str(made.id), "type": made.kind}
        answer: Json = {"interaction": told}
        if made.original is not None and made.callback in (SAY, DEFER):
            told["response_message_id"] = str(made.original.id)
            told["response_message_loading"] = bool(made.original.flags & LOADING)
            told["response_message_ephemeral"] = made.original.is_ephemeral
            answer["resource"] = {"type": SAY, "message": self.post.pages.message(made.original)}
        return answer

    def _open(self, request: web.Request) -> Interaction:
        """The interaction of a webhook token that is still good."""
        made = self.all.get(request.match_info["webhook_token"])
        if made is None or number(request, "webhook_id") != self.world.application_id:
            raise ApiError(404, 10015, "Unknown Webhook")
        if made.expired or self._now() - made.began_s > TOKEN_LIFE_S:
            raise ApiError(401, 50027, "Invalid Webhook Token")
        return made

    async def follow_up(self, request: web.Request, body: Body) -> Answer:
        """A further answer; the first one after a defer takes the place of "thinking"."""
        made = self._open(request)
        if made.original is not None and made.original.flags & LOADING:
            return self._show(self._fill_in(made.original, body))
        forced = EPHEMERAL if made.channel.hides_apps else 0
        message = self._made(made, body.json, body, thinking=False, flags=forced)
        made.followups.append(message)
        return self._show(message)

    def _fill_in(self, original: Message, body: Body) -> Message:
        original.flags &= ~LOADING
        payload = {k: v for k, v in body.json.items() if v is not None}
        return self.post.edit(original, Body(payload, body.files))

    def _original(self, request: web.Request) -> Message:
        original = self._open(request).original
        if original is None:
            raise ApiError(404, 10008, "Unknown Message")
        return original

    async def get_original(self, request: web.Request, body: Body) -> Answer:
        return self._show(self._original(request))

    async def edit_original(self, request: web.Request, body: Body) -> Answer:
        original = self._original(request)
        original.flags &= ~LOADING
        return self._show(self.post.edit(original, body))

    async def delete_original(self, request: web.Request, body: Body) -> Answer:
        made = self._open(request)
        if made.original is not None and not made.original.is_ephemeral:
            self.post.delete(made.original)
        made.original = None
        return None

    def _followup(self, request: web.Request) -> tuple[Interaction, Message]:
        made = self._open(request)
        for message in made.followups:
            if message.id == number(request, "message_id"):
                return made, message
        raise ApiError(404, 10008, "Unknown Message")

    async def edit_followup(self, request: web.Request, body: Body) -> Answer:
        return self._show(self.post.edit(self._followup(request)[1], body))

    async def delete_followup(self, request: web.Request, body: Body) -> Answer:
        made, message = self._followup(request)
        made.followups.remove(message)
        if not message.is_ephemeral:
            self.post.delete(message)
        return None

    def _show(self, message: Message) -> Json:
        return self.post.pages.message(message)


def modal_inputs(modal: Json) -> list[Json]:
    """The inputs of a modal, inside labels or rows."""
    inner = [c["component"] for c in modal["components"] if "component" in c]
    rows = limits.every_component(c for c in modal["components"] if "component" not in c)
    return inner + [c for c in rows if "custom_id" in c]
