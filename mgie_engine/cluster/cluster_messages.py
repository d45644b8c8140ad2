"""What the bot's side and the replicas say to each other: plain dicts with a version, checked on arrival.

A dict holds text, numbers, bytes, lists and dicts only, so no class of ours is unpickled on another machine.
Knows no ray and no torch.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from conversations.errors import SettingsRefused
from conversations.messages import Message
from conversations.settings import EditSettings, SettingsOverride, checked
from mgie_engine.edits import Doubt, EditRequest, EditResult, Progress
from mgie_engine.errors import (
    EditCancelled,
    EngineDied,
    EngineError,
    ModelError,
    NoRoom,
    NotFinite,
    RequestRefused,
)

VERSION = 3
LARGEST_PICTURE = 1 << 28  # bytes of a picture file; the bot takes far smaller ones

Plain = dict[str, Any]
ValueT = TypeVar("ValueT")


class BadMessage(EngineError):
    """What arrived is no message of this version."""


class TurnedAway(EngineError):
    """The replica does not take this edit; another one may."""


class OtherWeights(TurnedAway):
    """It has other weights than the edit was admitted under."""


class NoFreeSlot(TurnedAway):
    """It runs as many edits as it may."""


class Unheard(EngineDied):
    """The replica dropped the edit, because it heard nothing of it for too long."""


@dataclass(frozen=True, slots=True)
class Held:
    """The replica has the edit; sent when it takes it, and when nothing else was sent for a while."""


Event = Held | Progress | EditResult | EngineError


@dataclass(frozen=True, slots=True)
class ReplicaOrder:
    """Make this edit; answered by events, of which the last is its end."""

    bot: str  # which bot asks, the same after its restart
    instance: int  # which run of it; later ones are larger unless the clock was set back
    key: str  # of this attempt, unique within the instance
    weights: str  # fingerprint of the weights it was admitted under
    request: EditRequest


@dataclass(frozen=True, slots=True)
class SignOfLife:
    """The edits that a bot still waits for."""

    bot: str
    instance: int
    count: int  # grows by one each time
    keys: list[str]


@dataclass(frozen=True, slots=True)
class ReplicaStatus:
    """A replica now."""

    replica: str
    weights: str
    ready: bool
    slots: int
    running: int
    mine: list[str]  # the keys of those of them that are the asking bot's
    deaths: int  # of its engine process
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class _Result:
    """An EditResult as it travels; see there. A test holds that the fields are the same."""

    image: bytes
    expressive: str
    settings: EditSettings
    model: str
    size: tuple[int, int]
    seconds: dict[str, float]
    changed: float | None
    notes: list[dict[str, Any]]
    is_declined: bool
    is_exact: bool
    level: str
    confidence: float | None
    doubt: Doubt | None
    region: str | None
    is_question: bool
    other_readings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Failure:
    """An error as it travels."""

    name: str
    text: str
    message: dict[str, Any]


_ERRORS: Mapping[str, type[EngineError]] = {
    error.__name__: error
    for error in (
        *(BadMessage, OtherWeights, NoFreeSlot, Unheard, EditCancelled, EngineDied, EngineError),
        *(ModelError, NoRoom, NotFinite, RequestRefused),
    )
}
_ORDER, _SIGN, _STATUS = TypeAdapter(ReplicaOrder), TypeAdapter(SignOfLife), TypeAdapter(ReplicaStatus)
_HELD, _PROGRESS = TypeAdapter(Held), TypeAdapter(Progress)
_RESULT, _FAILURE = TypeAdapter(_Result), TypeAdapter(_Failure)


def edit_message(order: ReplicaOrder) -> Plain:
    """The order as a message."""
    return _message("edit", asdict(order))


def read_edit(message: object) -> ReplicaOrder:
    """The order of a message; BadMessage if it is none."""
    order = _read(_ORDER, "edit", message)
    if len(order.request.image) > LARGEST_PICTURE:
        raise BadMessage(f"The picture has more than {LARGEST_PICTURE} bytes.")
    try:
        checked(SettingsOverride(**asdict(order.request.settings)))
    except SettingsRefused as error:
        raise BadMessage(str(error)) from error
    return order


def sign_message(sign: SignOfLife) -> Plain:
    """The sign of life as a message."""
    return _message("sign", asdict(sign))


def read_sign(message: object) -> SignOfLife:
    """The sign of life of a message; BadMessage if it is none."""
    return _read(_SIGN, "sign", message)


def status_message(status: ReplicaStatus) -> Plain:
    """The status as a message."""
    return _message("status", asdict(status))


def read_status(message: object) -> ReplicaStatus:
    """The status of a message; BadMessage if it is none."""
    return _read(_STATUS, "status", message)


def event_message(event: Event) -> Plain:
    """What happened to an edit, as a message. Errors of other kinds travel as what they are a kind of."""
    match event:
        case Held():
            return _message("held", {})
        case Progress():
            return _message("progress", asdict(event) | {"stage": str(event.stage)})
        case EditResult():
            plain = {
                "notes": [note.to_json() for note in event.notes],
                "doubt": event.doubt and str(event.doubt),
            }
            return _message("result", asdict(event) | plain)
        case _:
            name = next(kind.__name__ for kind in type(event).__mro__ if kind.__name__ in _ERRORS)
            return _message("error", asdict(_Failure(name, str(event), event.message.to_json())))


def read_event(message: object) -> Event:
    """What happened to an edit; BadMessage if the message does not say."""
    match message:
        case {"kind": "held"}:
            return _read(_HELD, "held", message)
        case {"kind": "progress"}:
            return _read(_PROGRESS, "progress", message)
        case {"kind": "result"}:
            result = _read(_RESULT, "result", message)
            parts = {field.name: getattr(result, field.name) for field in fields(result)}
            return EditResult(**parts | {"notes": tuple(map(_note, result.notes))})
        case _:
            failure = _read(_FAILURE, "error", message)
            return _ERRORS.get(failure.name, EngineError)(failure.text, _note(failure.message))


def _note(stored: Mapping[str, Any]) -> Message:
    try:
        return Message.from_json(stored)
    except (KeyError, TypeError, AttributeError) as error:
        raise BadMessage(f"A message to users cannot be read: {error!r}.") from error


def _message(kind: str, body: Plain) -> Plain:
    return {"version": VERSION, "kind": kind, "body": body}


def _read(adapter: TypeAdapter[ValueT], kind: str, message: object) -> ValueT:
    match message:
        case {"version": int(version)} if version != VERSION:
            raise BadMessage(f"The message has version {version}; this side speaks {VERSION}.")
        case {"version": int(), "kind": str(found), "body": dict(body)} if found == kind:
            try:
                return adapter.validate_python(body)
            except ValidationError as error:
                raise BadMessage(f"A message of the kind {kind} cannot be read: {_first(error)}.") from error
    raise BadMessage(f"No message of the kind {kind} arrived.")


def _first(error: ValidationError) -> str:
    """Where the first problem is, and what; without the value."""
    problem = error.errors(include_input=False)[0]
    return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
