"""What a program may ask for: the fields of `POST /v1/images/edits`, as multipart form or as JSON."""

import asyncio
import base64
import binascii
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import BadHttpMessage
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from bot.openai_api.api_errors import ApiError
from bot.policy.limits import LONGEST_INSTRUCTION
from conversations.images.decode import PictureLimits
from conversations.settings import RANGES

PICTURE_BYTES = PictureLimits().bytes
JSON_BYTES = PICTURE_BYTES * 3 + 64 * 1024  # two pictures in base64, and the rest
FIELD_BYTES = 16 * 1024
JSON_PARTS = 10_000  # commas and brackets; text may hold some of them
RECEIVE_S = 120.0
MOST_PICTURES = 10
SIDES = (64, 4096)
FILES = ("image", "image[]", "mask")
MISSING = "missing_required_parameter"
_SIZE = re.compile(r"([1-9][0-9]{1,4})x([1-9][0-9]{1,4})")


@dataclass(frozen=True, slots=True)
class EditOrder:
    """A request: its pictures as sent, and its other fields."""

    image: bytes
    mask: bytes | None
    form: "EditForm"


class EditForm(BaseModel):
    """The fields of a request without its pictures.

    Fields of OpenAI's API that mean nothing here are taken and have no effect.

    n               how many pictures, each with a seed of its own: seed, seed + 1 …
    size            "auto": that of the picture sent; else "1024x1024": scaled to cover it, and cropped
    partial_images  previews to send while it streams
    seed, steps, text_cfg, image_cfg, reading  of this project; `reading` replaces the expressive instruction
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    prompt: Annotated[str, Field(min_length=1, max_length=LONGEST_INSTRUCTION)]
    model: Annotated[str, Field(max_length=100)] = ""
    n: Annotated[int, Field(ge=1, le=MOST_PICTURES)] = 1
    size: str = "auto"
    response_format: Literal["b64_json", "url"] = "b64_json"
    output_format: Literal["png", "jpeg", "webp"] = "png"
    output_compression: Annotated[int, Field(ge=0, le=100)] = 100
    stream: bool = False
    partial_images: Annotated[int, Field(ge=0, le=3)] = 0

    seed: Annotated[int, Field(ge=RANGES["seed"][0], le=RANGES["seed"][1] - MOST_PICTURES)] | None = None
    steps: int | None = None
    text_cfg: float | None = None
    image_cfg: float | None = None
    reading: Annotated[str, Field(max_length=LONGEST_INSTRUCTION)] | None = None

    background: Literal["auto", "opaque"] = "auto"
    quality: Literal["auto", "low", "medium", "high", "standard", "hd"] = "auto"
    input_fidelity: Literal["low", "high"] = "high"
    moderation: Literal["auto", "low"] = "auto"
    user: Annotated[str, Field(max_length=200)] = ""

    @field_validator("size")
    @classmethod
    def _is_size(cls, size: str) -> str:
        if size != "auto" and cls._sides(size) is None:
            raise ValueError(f"must be auto, or WIDTHxHEIGHT with sides of {SIDES[0]} to {SIDES[1]} pixels")
        return size

    @property
    def sides(self) -> tuple[int, int] | None:
        """Width and height that are asked for, in pixels; None for those of the picture sent."""
        return self._sides(self.size)

    @staticmethod
    def _sides(size: str) -> tuple[int, int] | None:
        found = _SIZE.fullmatch(size)
        sides = (int(found[1]), int(found[2])) if found else (0, 0)
        return sides if all(SIDES[0] <= side <= SIDES[1] for side in sides) else None


async def read_edit_order(request: web.Request) -> EditOrder:
    """The fields of a request; ApiError for anything else."""
    if "Content-Encoding" in request.headers:
        raise ApiError(415, "Send the request without a Content-Encoding.")
    try:
        async with asyncio.timeout(RECEIVE_S):
            match request.content_type:
                case "multipart/form-data":
                    fields = await _multipart_fields(request)
                case "application/json":
                    fields = await _json_fields(request)
                case _:
                    raise ApiError(415, "Send multipart/form-data or application/json.")
    except TimeoutError:
        raise ApiError(408, "The request took too long to arrive.") from None
    except BadHttpMessage:
        raise ApiError(400, "The multipart form cannot be read.") from None
    image, mask = fields.pop("image", None), fields.pop("mask", None)
    if not image:
        raise ApiError(400, "Missing required parameter: 'image'.", code=MISSING, param="image")
    try:
        return EditOrder(image, mask, EditForm.model_validate(fields))
    except ValidationError as error:
        raise _invalid(error) from None


def _invalid(error: ValidationError) -> ApiError:
    first = error.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else None
    if first["type"] == "extra_forbidden":
        return _unknown(name)
    if first["type"] == "missing":
        words = f"Missing required parameter: '{name}'."
        return ApiError(400, words, code=MISSING, param=name)
    words = first["msg"].removeprefix("Value error, ")
    return ApiError(400, f"Invalid value for '{name}': {words}.", code="invalid_value", param=name)


def _unknown(name: str | None) -> ApiError:
    return ApiError(400, f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)


# -- multipart ---------------------------------------------------------------------------------------------


async def _multipart_fields(request: web.Request) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    try:
        reader = await request.multipart()
        async for part in _parts(reader):
            name = (part.name or "").removesuffix("[]")
            if name in fields:
                raise _twice(name)
            if name not in (*FILES, *EditForm.model_fields):  # at once: there could be any number of them
                raise _unknown(name)
            is_file = part.name in FILES
            data = await _read_part(part, name, PICTURE_BYTES if is_file else FIELD_BYTES)
            fields[name] = data if is_file else data.decode("utf-8")
    except UnicodeDecodeError:
        raise ApiError(400, "The fields of the form are not UTF-8 text.") from None
    except (ValueError, AssertionError):
        raise ApiError(400, "The multipart form cannot be read.") from None
    return fields


def _twice(name: str) -> ApiError:
    words = "One picture can be edited at a time." if name == "image" else "A parameter stands twice."
    return ApiError(400, words, code="invalid_value", param=name)


async def _parts(reader: Any) -> AsyncIterator[BodyPartReader]:
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader):
            raise ApiError(400, "The multipart form is nested.")
        yield part


async def _read_part(part: BodyPartReader, name: str, limit: int) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk(64 * 1024):
        data += chunk
        if len(data) > limit:
            raise _too_large(name)
    return bytes(data)


def _too_large(name: str | None) -> ApiError:
    words = f"The picture may have {PICTURE_BYTES >> 20} MiB, another field {FIELD_BYTES >> 10} KiB."
    return ApiError(413, words, code="request_too_large", param=name)


# -- JSON --------------------------------------------------------------------------------------------------


async def _json_fields(request: web.Request) -> dict[str, Any]:
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > JSON_BYTES:
            raise _too_large(None)
    return await asyncio.to_thread(_decoded, bytes(body))


def _decoded(body: bytes) -> dict[str, Any]:
    """The fields of a JSON body, pictures decoded from base64."""
    # Ten million empty lists fit into a body; parsing them takes a gigabyte and stops every thread meanwhile.
    if sum(map(body.count, (b",", b"[", b"{"))) > JSON_PARTS:
        raise ApiError(400, "The body has too many parts.")
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise ApiError(400, "The body is not a JSON object.")
    if isinstance(images := fields.pop("images", None), list):
        if len(images) != 1 or "image" in fields:
            raise _twice("image")
        fields["image"] = images[0]
    for name in ("image", "mask"):
        if name in fields and fields[name] is not None:
            fields[name] = _picture(fields[name], name)
    return fields


def _picture(value: object, name: str) -> bytes:
    """A picture given as base64, as data URL, or as {"image_url": a data URL}."""
    if isinstance(value, dict):
        value = value.get("image_url")
    if not isinstance(value, str):
        raise ApiError(400, "Give the picture as base64 or as a data URL.", code="invalid_value", param=name)
    if value.startswith(("http:", "https:")):
        words = "Links are not opened. Give the picture as a data URL."
        raise ApiError(400, words, code="invalid_value", param=name)
    if value.startswith("data:"):
        value = value.partition(",")[2]
    try:
        picture = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        words = "The picture is not sound base64."
        raise ApiError(400, words, code="invalid_value", param=name) from None
    if len(picture) > PICTURE_BYTES:
        raise _too_large(name)
    return picture
