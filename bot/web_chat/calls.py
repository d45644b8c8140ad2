"""What the page may send to its functions: `POST /gradio_api/run/predict` with plain values.

Gradio copies any file and fetches any URL that an object anywhere in a body names. So only known functions
with plain values pass. A call that passes is written anew: gradio reads exactly what was checked here.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

BODY_BYTES = 64 * 1024
STRING_CHARS = 4000
EVENT_VALUES = 16
WHOLE = 2**53  # browsers send no larger whole number exactly

Inputs = Mapping[int, int]  # how many values each known function takes, by its number


def _well_formed(value: object) -> object:
    """A broken half of a character becomes a question mark, as in the instructions of every chat."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


_Text = Annotated[str, BeforeValidator(_well_formed), StringConstraints(max_length=STRING_CHARS)]
_Whole = Annotated[int, Field(ge=-WHOLE, le=WHOLE)]
_Real = Annotated[float, Field(allow_inf_nan=False)]
_Plain = bool | _Whole | _Real | _Text | None
_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{1,20}$")]


class CallRefused(ValueError):
    """The body is no call that the page makes; the text is a sentence for whoever sent it."""


class _Call(BaseModel):
    """The fields that gradio's own page sends; other fields of gradio's API are unknown here."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    fn_index: _Whole
    data: list[_Plain]
    session_hash: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,32}$")]
    trigger_id: _Whole | None = None
    event_data: Annotated[dict[_Name, _Plain], Field(max_length=EVENT_VALUES)] | None = None


def checked_call(body: bytes, functions: Inputs) -> bytes:
    """The same call in JSON, written anew; CallRefused for anything that the page does not send."""
    try:
        call = _Call.model_validate(json.loads(body, object_pairs_hook=_without_duplicates))
    except (ValueError, RecursionError):
        raise CallRefused("Only calls with plain values are taken here.") from None
    if call.fn_index not in functions:
        raise CallRefused("There is no such function.")
    if len(call.data) != functions[call.fn_index]:
        raise CallRefused(f"This function takes {functions[call.fn_index]} values.")
    return call.model_dump_json().encode()


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; ValueError where a name stands twice, since parsers differ in which one counts."""
    named = dict(pairs)
    if len(named) < len(pairs):
        raise ValueError("a name stands twice")
    return named
