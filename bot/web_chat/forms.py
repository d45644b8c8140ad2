"""What browsers may send: the fields of each form, checked before anything is done with them.

A form is read up to its limit of bytes and seconds. An unknown field, a field that stands twice or a value of
another kind refuses the whole form.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import IO, Annotated, Literal, Self, TypeVar
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import BadHttpMessage
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from bot.web_chat.request_limits import FORM_BYTES, FORM_S, UPLOAD_PAUSE_S, UPLOAD_S
from bot.web_chat.upload_slots import ReceivedUpload
from conversations.images.marks import Marks
from conversations.messages import Message
from mgie_engine.strengths import Preset

TEXT_CHARS = 4000
FIELDS = 32
READ_ON = 4  # times the limit of an upload; most browsers listen to an answer only after they have sent all

FormT = TypeVar("FormT", bound=BaseModel)

NOT_UNDERSTOOD = Message("page.not_understood")


class FormRefused(Exception):
    """The request is none that the page makes, or it took too long; a status and a message say why."""

    def __init__(self, status: int = 400, message: Message = NOT_UNDERSTOOD) -> None:
        super().__init__(message.code)
        self.status = status
        self.message = message


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


_Text = Annotated[str, StringConstraints(max_length=TEXT_CHARS)]
_Words = Annotated[str, StringConstraints(min_length=1, max_length=TEXT_CHARS)]
_Turn = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,32}$")]
_Nothing = Annotated[str, StringConstraints(max_length=0)]
_Real = Annotated[float | None, Field(allow_inf_nan=False), BeforeValidator(_none_if_empty)]
_Whole = Annotated[int | None, BeforeValidator(_none_if_empty)]
_Marks = Annotated[Marks | None, BeforeValidator(lambda text: Marks.parse(text) if text else None)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MessageForm(_Form):
    """The form under the conversation. A number is None where its field is empty."""

    instruction: _Text = ""
    expressive: _Text = ""
    corrects: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{0,32}$")] = ""
    seed: Annotated[str, StringConstraints(max_length=20)] = ""
    steps: _Whole = None
    text_cfg: _Real = None
    image_cfg: _Real = None
    region: _Marks = None


class ActForm(_Form):
    """A pressed button: exactly one of these fields, with what the button is about."""

    undo: _Nothing | None = None
    redo: _Nothing | None = None
    choose: _Nothing | None = None
    stay: _Nothing | None = None
    go_to: _Turn | None = None
    cancel: _Turn | None = None
    retry: _Turn | None = None
    subtler: _Turn | None = None
    stronger: _Turn | None = None
    from_original: _Turn | None = None
    delete: _Turn | None = None
    delete_session: _Turn | None = None
    forget_me: _Nothing | None = None
    grid: _Turn | None = None
    seeds: _Turn | None = None
    cell: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,32}\.[0-8]$")] | None = None
    preset: Preset | None = None
    do_it: _Turn | None = None
    do_other: _Turn | None = None
    ask: Literal["on", "off"] | None = None
    say: _Words | None = None
    as_typed: _Words | None = None
    sample: Annotated[str, StringConstraints(pattern=r"^[\w-]{1,40}(/[0-9]{1,2})?$")] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("one button is pressed at a time")
        return self

    @property
    def pressed(self) -> "PressedButton":
        """The field that was sent."""
        [name] = self.model_fields_set
        return PressedButton(name, str(getattr(self, name)))


@dataclass(frozen=True, slots=True)
class PressedButton:
    """What a button does, and to what: ("cancel", "k3f9"), ("undo", "")."""

    act: str
    about: str = ""


async def read_form(request: web.Request, form: type[FormT]) -> FormT:
    """The fields of a form; FormRefused for anything else."""
    if request.content_type != "application/x-www-form-urlencoded" or "Content-Encoding" in request.headers:
        raise FormRefused(415)
    try:
        async with asyncio.timeout(FORM_S):
            body = await _read_limited(request.content.iter_any(), FORM_BYTES)
    except TimeoutError:
        raise FormRefused(408, Message("page.too_slow")) from None
    return parse_form(body, form)


def parse_form(body: bytes, form: type[FormT]) -> FormT:
    """The fields in an urlencoded body; FormRefused if it is not that form."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=FIELDS,
        )
        named = dict(pairs)
        if len(named) < len(pairs):  # parsers differ in which one counts
            raise FormRefused
        return form.model_validate(named)
    except ValueError:
        raise FormRefused from None


async def _read_limited(chunks: AsyncIterator[bytes], limit: int) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise FormRefused(413, Message("page.too_large"))
    return bytes(body)


async def receive_upload(request: web.Request, limit: int, to: IO[bytes], upload: ReceivedUpload) -> int:
    """Write the one file of an upload form to a file; how many bytes it has, which may be more than `limit`.

    FormRefused for another form, and for one that stalls or takes too long.
    """
    if request.content_type != "multipart/form-data" or "Content-Encoding" in request.headers:
        raise FormRefused(415)
    try:
        async with asyncio.timeout(UPLOAD_S) as upload.limit:
            reader = await request.multipart()
            async with asyncio.timeout(UPLOAD_PAUSE_S):
                part = await reader.next()
            if not isinstance(part, BodyPartReader) or part.name != "picture":
                raise FormRefused
            size = await _receive_part(part, limit, to, upload)
            async with asyncio.timeout(UPLOAD_PAUSE_S):
                if size <= limit and await reader.next() is not None:
                    raise FormRefused
            return size
    except TimeoutError:
        raise FormRefused(408, Message("page.too_slow")) from None
    except (ValueError, BadHttpMessage):  # no multipart at all, or one with bad headers
        raise FormRefused from None
    finally:
        upload.limit = None


async def _receive_part(part: BodyPartReader, limit: int, to: IO[bytes], upload: ReceivedUpload) -> int:
    size = 0
    while size <= READ_ON * limit:
        async with asyncio.timeout(UPLOAD_PAUSE_S):
            chunk = await part.read_chunk(64 * 1024)
        if not chunk:
            break
        size += len(chunk)
        upload.received(len(chunk))
        if size <= limit:
            to.write(chunk)
    return size
