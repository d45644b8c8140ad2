"""Messages to users, as a code with parameters; a chat puts it into words, in the user's language.

    Message("queued", version="v3")               # rendered by `bot.i18n.catalog`

A parameter is text that stands in every language (a version, a user's own words), a number, a Message, or
several of these. By convention `count` is the number that decides between singular and plural.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Union

Param = Union[str, int, float, "Message", tuple["Param", ...]]

TEXT = "text"  # the code of words that are shown as they are
JOINED = "joined"  # the code of several messages one after the other


@dataclass(frozen=True, slots=True, init=False)
class Message:
    """A message in no language yet. Frozen, comparable, picklable, and storable as JSON."""

    code: str
    params: Mapping[str, Param] = field(default_factory=dict, hash=False)

    def __init__(self, code: str, /, **params: Param) -> None:
        object.__setattr__(self, "code", code)
        object.__setattr__(self, "params", params)

    def __str__(self) -> str:
        """For logs: the code and its parameters."""
        params = ", ".join(f"{name}={value}" for name, value in self.params.items())
        return f"{self.code}({params})"

    def to_json(self) -> dict[str, Any]:
        """The message as plain JSON."""
        return {"code": self.code, "params": {name: _plain(value) for name, value in self.params.items()}}

    @classmethod
    def from_json(cls, stored: str | Mapping[str, Any]) -> "Message":
        """The message of `to_json`. A sentence, as earlier releases stored it, is shown as it is."""
        if isinstance(stored, str):
            return verbatim(stored)
        return cls(stored["code"], **{name: _param(value) for name, value in stored["params"].items()})


def verbatim(words: str) -> Message:
    """Words that are shown as they are in every language."""
    return Message(TEXT, text=words)


def joined(separator: str, *parts: Message) -> Message:
    """Several messages with `separator` between them."""
    return Message(JOINED, separator=separator, parts=parts)


def parts_of(message: Message) -> tuple[Message, ...]:
    """Those that `joined` put together; else the message alone."""
    parts = message.params["parts"] if message.code == JOINED else (message,)
    return tuple(part for part in parts if isinstance(part, Message)) if isinstance(parts, tuple) else ()


def _plain(value: Param) -> Any:
    if isinstance(value, Message):
        return value.to_json()
    return [_plain(part) for part in value] if isinstance(value, tuple) else value


def _param(stored: Any) -> Param:
    if isinstance(stored, Mapping):
        return Message.from_json(stored)
    return tuple(_param(part) for part in stored) if isinstance(stored, list) else stored
