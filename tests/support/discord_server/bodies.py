"""Request bodies: JSON, or a multipart form with JSON and files."""

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web


@dataclass(slots=True)
class Body:
    """What came with a request: its JSON and its files by number."""

    json: Any = None
    files: dict[int, tuple[str, bytes]] = field(default_factory=dict)  # n of files[n] → (filename, bytes)


async def read_body(request: web.Request) -> Body:
    """The body whatever its encoding."""
    if request.content_type != "multipart/form-data":
        raw = await request.read()
        return Body(json.loads(raw) if raw else None)
    body = Body()
    async for part in await request.multipart():
        assert isinstance(part, BodyPartReader)
        name = part.name or ""
        data = bytes(await part.read())
        if name == "payload_json":
            body.json = json.loads(data)
        elif name.startswith("files["):
            body.files[int(name[6:-1])] = (part.filename or "file", data)
    return body
