"""The addresses of the API: what is read from each request, asked of the workflow, and answered."""

import asyncio
import base64
import json
import secrets
import time
from collections import OrderedDict
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import web

from bot.openai_api.api_chat import ApiChat
from bot.openai_api.api_errors import ApiError
from bot.openai_api.api_pictures import encoded, encoded_preview
from bot.openai_api.edit_form import EditForm, EditOrder, read_edit_order
from bot.openai_api.requested_edits import Edits, Finished, Preview
from bot.ops.clocks import uptime_s
from bot.ops.http_server import Connection
from bot.ops.shared_slots import SharedSlots
from bot.workflow.dispatcher import EditWorkflow
from conversations.errors import PictureMissing

FILES = "/v1/images/files/"
USER = web.RequestKey("user", str)
RECEIVING, RECEIVING_PER_USER = 8, 4  # requests with their pictures in memory
SENDING, SENDING_PER_USER = 6, 2  # pictures in memory on their way to a client
WRITE_S, SLOWEST = 30.0, 64 * 1024  # seconds that a client may take to read what was sent, and bytes a second
LINKS, LINK_S = 1000, 3600.0  # pictures that can be fetched by address, and how long
OTHER_NAMES = ("gpt-image-", "dall-e-")  # programs with a fixed model name get the model there is
_STREAM = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@dataclass(frozen=True, slots=True)
class Link:
    """A picture that can be fetched for a while, in the format of its request."""

    image: str
    form: EditForm
    user: str
    until_s: float


class ApiRoutes:
    """Every handler of the API."""

    def __init__(self, workflow: EditWorkflow, chat: ApiChat, model: str) -> None:
        self._workflow = workflow
        self._chat = chat
        self._model = model
        self._started = int(time.time())
        self._receiving = SharedSlots(RECEIVING, RECEIVING_PER_USER)
        self._sending = SharedSlots(SENDING, SENDING_PER_USER)
        self._links: OrderedDict[str, Link] = OrderedDict()

    def table(self) -> list[web.RouteDef]:
        """All addresses with their handlers."""
        return [
            web.post("/v1/images/edits", self.edit),
            web.get("/v1/models", self.models),
            web.get("/v1/models/{name}", self.model),
            web.get(f"{FILES}{{token}}", self.file),
        ]

    async def models(self, request: web.Request) -> web.Response:
        """The one model there is."""
        return web.json_response({"object": "list", "data": [self._model_facts()]})

    async def model(self, request: web.Request) -> web.Response:
        """What there is to say about it."""
        self._check_model(request.match_info["name"])
        return web.json_response(self._model_facts())

    async def edit(self, request: web.Request) -> web.StreamResponse:
        """Edit a picture; the request ends with its results, or with an error."""
        async with self._receiving.slot(request[USER]):
            order = await read_edit_order(request)
            form, edits = order.form, self._edits(request, order)
            del order  # the picture is in memory only until it is stored
            self._check_model(form.model or self._model)
        # A client that closes its connection cancels its edits.
        task, connection = asyncio.current_task(), request.protocol
        assert task is not None
        assert isinstance(connection, Connection)
        if connection.transport is None:
            raise ConnectionError("the client left while its request was read")
        connection.when_lost = partial(_cancel, task)
        try:
            return await (self._stream if form.stream else self._answer)(request, edits, form)
        finally:
            connection.when_lost = lambda: None

    def _edits(self, request: web.Request, order: EditOrder) -> Edits:
        return Edits(self._workflow, self._chat, request[USER], order)

    async def _answer(self, request: web.Request, edits: Edits, form: EditForm) -> web.StreamResponse:
        results: list[Finished] = []
        async with aclosing(edits.follow()) as news:
            async for each in news:
                if isinstance(each, Finished):
                    results.append(each)
        results.sort(key=lambda result: result.number)
        response = web.StreamResponse(headers={"Content-Type": "application/json; charset=utf-8"})
        begun = json.dumps({"created": int(time.time()), **_facts(form), "data": []}).removesuffix("]}")
        for result in results:  # one picture in memory at a time
            async with self._sending.slot(request[USER]):
                fields = json.dumps(await self._picture_fields(request, result, form))
                await _write(request, response, f"{begun}{fields}".encode())
            begun = ", "
        await _write(request, response, b"]}")
        return response

    async def _picture_fields(self, request: web.Request, result: Finished, form: EditForm) -> dict[str, Any]:
        """One picture of an answer, with the expressive instruction as `revised_prompt`."""
        if form.response_format == "url":
            link = self._link(result, form, request[USER])
            where = {"url": str(request.url.origin().with_path(f"{FILES}{link}"))}
        else:
            where = {"b64_json": await self._base64(result.image, form)}
        return {**where, "revised_prompt": result.expressive, "confidence": result.confidence}

    async def _stream(self, request: web.Request, edits: Edits, form: EditForm) -> web.StreamResponse:
        """Events as they come: previews, then each result; an error ends the stream."""
        response, sent = web.StreamResponse(headers=_STREAM), 0
        try:
            async with aclosing(edits.follow()) as news:
                async for each in news:
                    if isinstance(each, Preview) and sent == form.partial_images:
                        continue
                    if not response.prepared:
                        await response.prepare(request)
                    if isinstance(each, Preview):
                        await _send(response, "partial_image", await _partial_fields(each, sent, form))
                        sent += 1
                    else:
                        said = {"revised_prompt": each.expressive, "confidence": each.confidence}
                        async with self._sending.slot(request[USER]):
                            fields = {"b64_json": await self._base64(each.image, form), **said, **_usage()}
                            await _send(response, "completed", {**fields, **_facts(form)})
        except ApiError as error:
            if not response.prepared:
                raise  # as an answer with its own status
            await _send(response, "error", error.body, prefix="")
        return response

    async def _base64(self, image: str, form: EditForm) -> str:
        picture = await self._workflow.pictures.draw(encoded, [image], form)
        return base64.b64encode(picture).decode("ascii")

    # -- pictures by address ------------------------------------------------------------------------------

    def _link(self, result: Finished, form: EditForm, user: str) -> str:
        token = secrets.token_urlsafe(24)
        self._links[token] = Link(result.image, form, user, uptime_s() + LINK_S)
        while len(self._links) > LINKS:
            self._links.popitem(last=False)
        return f"{token}.{form.output_format}"

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A picture whose address was given in an answer; the address is all that is asked for."""
        token = request.match_info["token"].rpartition(".")[0]
        link = self._links.get(token)
        if link is None or link.until_s < uptime_s():
            raise web.HTTPNotFound
        async with self._sending.slot(link.user):
            try:
                picture = await self._workflow.pictures.draw(encoded, [link.image], link.form)
            except PictureMissing:
                raise web.HTTPNotFound from None
            headers = {
                "Content-Type": f"image/{link.form.output_format}",
                "Content-Length": str(len(picture)),
            }
            response = web.StreamResponse(headers=headers)
            await _write(request, response, picture)
        return response

    # -- facts --------------------------------------------------------------------------------------------

    def _check_model(self, name: str) -> None:
        if name != self._model and not name.startswith(OTHER_NAMES):
            words = f"The model '{name}' does not exist; there is '{self._model}'."
            raise ApiError(404, words, code="model_not_found", param="model")

    def _model_facts(self) -> dict[str, Any]:
        return {"id": self._model, "object": "model", "created": self._started, "owned_by": "mgie"}


def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()


def _facts(form: EditForm) -> dict[str, Any]:
    return {"output_format": form.output_format, "background": "opaque", "quality": "auto", "size": form.size}


def _usage() -> dict[str, Any]:
    """Tokens are not counted; clients expect the field."""
    details = {"image_tokens": 0, "text_tokens": 0}
    counts = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    return {"usage": {**counts, "input_tokens_details": details}}


async def _partial_fields(preview: Preview, number: int, form: EditForm) -> dict[str, Any]:
    image = await asyncio.to_thread(encoded_preview, preview.webp, form)
    return {
        "b64_json": base64.b64encode(image).decode("ascii"),
        "partial_image_index": number,
        **_facts(form),
    }


async def _send(
    response: web.StreamResponse, name: str, fields: dict[str, Any], *, prefix: str = "image_edit."
) -> None:
    """One event of the stream; ConnectionError if the client does not read it in time."""
    event = {"type": f"{prefix}{name}", "created_at": int(time.time()), **fields}
    await _write_in_time(response, f"event: {prefix}{name}\ndata: {json.dumps(event)}\n\n".encode())


async def _write(request: web.Request, response: web.StreamResponse, data: bytes) -> None:
    """The next part of an answer, which begins with the first; ConnectionError if it is not read in time."""
    if not response.prepared:
        await response.prepare(request)
    await _write_in_time(response, data)


async def _write_in_time(response: web.StreamResponse, data: bytes) -> None:
    try:
        async with asyncio.timeout(WRITE_S + len(data) / SLOWEST):
            await response.write(data)
    except TimeoutError:
        raise ConnectionError("the answer was not read in time") from None
