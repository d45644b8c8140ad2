"""The addresses of the page: what is read from each request, asked of the controller, and answered."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from aiohttp import web
from markupsafe import Markup

from bot.ops.shared_slots import SharedSlots
from bot.web_chat import markup
from bot.web_chat.address_limits import AddressLimits
from bot.web_chat.answers import FileAnswer, field_values, language_of, refused, update_json, wants_json
from bot.web_chat.controller import NO_COOKIE, PageController, Submission, Visitor
from bot.web_chat.event_stream import stream_updates
from bot.web_chat.forms import TEXT_CHARS, ActForm, FormRefused, MessageForm, read_form, receive_upload
from bot.web_chat.image_responses import ImageFiles
from bot.web_chat.live_cards import LiveCards
from bot.web_chat.page_settings import PageSettings, seed_of
from bot.web_chat.page_update import PageUpdate
from bot.web_chat.picture_downloads import FORMATS, download_of
from bot.web_chat.presets import offers
from bot.web_chat.request_limits import (
    DRAWN_PER_ADDRESS,
    DRAWN_PER_VISITOR,
    REQUESTS,
    SEND_S,
    SLOWEST,
    STREAMS,
    STREAMS_PER_ADDRESS,
    STREAMS_PER_VISITOR,
    TAKE_S,
    TAKEN,
    TAKEN_PER_ADDRESS,
    UPLOADS,
    UPLOADS_PER_ADDRESS,
    UPLOADS_PER_VISITOR,
    Underway,
)
from bot.web_chat.samples import Sample
from bot.web_chat.security import Site, counted_address, person_of, recognise, welcome
from bot.web_chat.upload_slots import UploadSlots
from bot.workflow.exports import ExportEnded
from conversations.errors import SettingsRefused
from conversations.images.decode import mebibytes
from conversations.messages import Message

STATIC = {file.name: file for file in (Path(__file__).parent / "static").iterdir()}
FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}  # keys are hashes: never stale
ASK_AGAIN = {"Cache-Control": "no-cache"}
DOWNLOAD = 'attachment; filename="mgie.zip"'
_TURN = re.compile(r"[a-z0-9]{1,32}")
_SEEN = re.compile(r"[0-9a-f]{1,16}\.[0-9]{1,18}")


class PageRoutes:
    """Every handler of the page; `upload_bytes` is the size that an uploaded file may have."""

    def __init__(
        self,
        controller: PageController,
        live_cards: LiveCards,
        image_files: ImageFiles,
        model: str,
        site: Site,
        upload_bytes: int,
    ) -> None:
        self._controller = controller
        self._live_cards = live_cards
        self._image_files = image_files
        self._samples = controller.samples
        self._model = model
        self._site = site
        self._upload_bytes = upload_bytes
        self._streams = Underway(STREAMS_PER_VISITOR, STREAMS_PER_ADDRESS, STREAMS)
        self._drawn_of_visitor = SharedSlots(REQUESTS, DRAWN_PER_VISITOR)
        self._taken = SharedSlots(TAKEN, TAKEN_PER_ADDRESS)
        self._drawn_of_address = SharedSlots(REQUESTS, DRAWN_PER_ADDRESS)
        self._addresses = AddressLimits(controller.waiting)
        self._uploads = UploadSlots(UPLOADS_PER_VISITOR, UPLOADS_PER_ADDRESS, UPLOADS)

    def table(self) -> list[web.RouteDef]:
        """All addresses with their handlers."""
        path = self._site.path
        routes = [
            web.get(f"{path}/", self.page),
            web.get(f"{path}/events/{{seen}}", self.events, allow_head=False),
            web.post(f"{path}/message", self.message),
            web.post(f"{path}/act", self.act),
            web.post(f"{path}/pictures", self.upload),
            web.get(f"{path}/pictures/{{key}}.png", self.picture),
            web.get(f"{path}/downloads/{{turn}}.{{kind:png|jpg|webp}}", self.download, allow_head=False),
            web.get(f"{path}/thumbs/{{key}}.webp", self.thumb),
            web.get(f"{path}/changes/{{before}}/{{after}}.webp", self.changes),
            web.get(f"{path}/samples/{{name}}", self.sample),
            web.get(f"{path}/export", self.export, allow_head=False),
            web.get(f"{path}/static/{{name}}", self.static),
        ]
        return [web.get(path, self.to_page), *routes] if path else routes

    # -- the page and its forms ---------------------------------------------------------------------------

    async def page(self, request: web.Request) -> web.StreamResponse:
        """The whole page; with `?before=…&after=…` two versions beside each other."""
        visitor = Visitor(welcome(request), language_of(request), counted_address(request))
        before, after = (request.query.get(name, "") for name in ("before", "after"))
        async with self._turn_of(visitor):
            if _TURN.fullmatch(before) and _TURN.fullmatch(after):
                update = await self._controller.compare(visitor, before, after)
            else:
                update = await self._controller.current(visitor)
            if wants_json(request):
                response = await self._answer(request, visitor, update)
            else:
                response = await self._whole(visitor, update)
        recognise(request, response, self._site)
        return response

    async def to_page(self, request: web.Request) -> web.StreamResponse:
        """From "/mgie" to "/mgie/", as every address on the page begins there."""
        return web.Response(status=308, headers={"Location": f"{self._site.path.rpartition('/')[2]}/"})

    async def message(self, request: web.Request) -> web.StreamResponse:
        """The form under the conversation."""
        form, visitor = await read_form(request, MessageForm), self._asking(request)
        async with self._turn_of(visitor):
            return await self._answer(request, visitor, await self._submitted(visitor, form), form)

    async def _submitted(self, visitor: Visitor, form: MessageForm) -> PageUpdate:
        defaults = self._controller.defaults
        try:
            settings = PageSettings(
                defaults.text_cfg if form.text_cfg is None else form.text_cfg,
                defaults.image_cfg if form.image_cfg is None else form.image_cfg,
                defaults.steps if form.steps is None else form.steps,
                seed_of(form.seed, visitor.language),
            )
            submission = Submission(form.instruction, form.expressive, form.corrects, settings, form.region)
            return await self._controller.submit(visitor, submission)
        except SettingsRefused as error:
            return await self._controller.refused(visitor, error.message)

    async def act(self, request: web.Request) -> web.StreamResponse:
        """A pressed button."""
        button, visitor = (await read_form(request, ActForm)).pressed, self._asking(request)
        async with self._turn_of(visitor):
            update = await self._controller.act(visitor, button)
            return await self._answer(request, visitor, update, sets_fields=button.act == "preset")

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """A picture to begin with.

        It is received into a file without a name, so an upload that waits to be read costs no memory.
        """
        visitor, limit = self._asking(request), self._upload_bytes
        if visitor.person is None:
            raise FormRefused(403, NO_COOKIE)
        with self._uploads.one_more(visitor.person, visitor.address) as upload, TemporaryFile() as file:
            size = await receive_upload(request, limit, file, upload)
            if size > limit:
                sizes = {"size": mebibytes(size), "limit": mebibytes(limit)}
                update = await self._controller.refused(visitor, Message("file_too_large", **sizes))
            else:
                file.seek(0)
                update = await self._controller.upload(visitor, partial(asyncio.to_thread, file.read), limit)
        return await self._answer(request, visitor, update)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """What changes from now on."""
        visitor, seen = _visitor(request), request.match_info["seen"]
        if not _SEEN.fullmatch(seen):
            raise FormRefused
        if visitor.person is None:
            raise FormRefused(403, NO_COOKIE)

        async def draw() -> tuple[str, dict[str, Any]]:
            async with self._turn_of(visitor):
                update = await self._controller.current(visitor)
                return update.revision, update_json(update, visitor.language, self._all_samples)

        with self._streams.one_more(visitor.person, visitor.address):
            return await stream_updates(request, self._live_cards, visitor.person, seen, draw)

    # -- files --------------------------------------------------------------------------------------------

    async def picture(self, request: web.Request) -> web.StreamResponse:
        """A stored picture, whole; a packed one as it is, since browsers read it, too."""
        key = request.match_info["key"]
        path = self._image_files.path(key)
        kind = "webp" if await asyncio.to_thread(self._image_files.is_packed, key) else "png"
        name = f'inline; filename="{key[:12]}.{kind}"'
        headers = {**FOREVER, "Content-Type": f"image/{kind}", "Content-Disposition": name}
        return FileAnswer(path, headers=headers)

    async def download(self, request: web.Request) -> web.StreamResponse:
        """A version to take along, with the recipe of its edit."""
        turn, kind = request.match_info["turn"], request.match_info["kind"]
        card = await self._controller.card_of(_visitor(request), turn) if _TURN.fullmatch(turn) else None
        found = download_of(card, self._model) if card else None
        if card is None or found is None:
            raise web.HTTPNotFound
        shown_as = f'attachment; filename="mgie-{card.version}.{kind}"'
        type_, work = FORMATS[kind]
        headers = {**ASK_AGAIN, "Content-Type": type_, "Content-Disposition": shown_as}
        visitor = _visitor(request)
        async with self._taken.slot(visitor.address or visitor.person or ""):
            file = await self._image_files.made(found, work)
            response = web.StreamResponse(headers={**headers, "Content-Length": str(len(file))})
            await response.prepare(request)
            try:
                async with asyncio.timeout(TAKE_S + len(file) / SLOWEST):
                    await response.write(file)
            except TimeoutError as error:
                raise ConnectionError("the picture was not taken in time") from error
        return response

    async def thumb(self, request: web.Request) -> web.StreamResponse:
        """A small version of it."""
        webp = await self._image_files.thumb(request.match_info["key"])
        return web.Response(body=webp, content_type="image/webp", headers=FOREVER)

    async def changes(self, request: web.Request) -> web.StreamResponse:
        """Where two pictures differ."""
        webp = await self._image_files.changes(request.match_info["before"], request.match_info["after"])
        return web.Response(body=webp, content_type="image/webp", headers=FOREVER)

    async def sample(self, request: web.Request) -> web.StreamResponse:
        """A picture to try."""
        sample = self._samples.get(request.match_info["name"])
        if sample is None:
            raise web.HTTPNotFound
        return FileAnswer(sample.path, headers=ASK_AGAIN)

    async def static(self, request: web.Request) -> web.StreamResponse:
        """The style, the script and the icon."""
        file = STATIC.get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound
        return FileAnswer(file, headers=ASK_AGAIN)

    async def export(self, request: web.Request) -> web.StreamResponse:
        """Everything of this user as a zip file, in pieces as the browser takes them."""
        pieces = await self._controller.export(_visitor(request))
        if isinstance(pieces, Message):
            return refused(request, 404, pieces)
        headers = {**ASK_AGAIN, "Content-Type": "application/zip", "Content-Disposition": DOWNLOAD}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        try:
            async for piece in pieces:
                async with asyncio.timeout(SEND_S):
                    await response.write(piece)
        except (ExportEnded, TimeoutError) as error:
            raise ConnectionError("the export was not taken in time") from error
        return response

    @asynccontextmanager
    async def _turn_of(self, visitor: Visitor) -> AsyncIterator[None]:
        """The turn of a visitor to have the page drawn, which takes time that all share."""
        of_address = visitor.address or visitor.person or ""
        async with self._drawn_of_visitor.slot(visitor.person or ""), self._drawn_of_address.slot(of_address):
            yield

    def _asking(self, request: web.Request) -> Visitor:
        """Who sends a form; TooManyAtOnce if their address sends too many."""
        visitor = _visitor(request)
        self._addresses.count_form(visitor.person, visitor.address)
        return visitor

    # -- answers ------------------------------------------------------------------------------------------

    @property
    def _all_samples(self) -> tuple[Sample, ...]:
        return tuple(self._samples.values())

    async def _answer(
        self,
        request: web.Request,
        visitor: Visitor,
        update: PageUpdate,
        form: MessageForm | None = None,
        *,
        sets_fields: bool = False,
    ) -> web.Response:
        """The parts for the script; else the page again, with what was refused still in its field."""
        if not wants_json(request):
            if update.notice is None and update.comparison is None and update.sessions is None:
                return web.Response(status=303, headers={"Location": "./"})
            return await self._whole(visitor, update, None if update.is_taken else form)
        settings = await self._controller.settings(visitor)
        shown = settings if sets_fields else None
        answer = update_json(update, visitor.language, self._all_samples, shown)
        answer["notice"] = markup.notice(update.notice, visitor.language, update.choices)
        answer["presets"] = self._presets(settings, visitor.language)
        return web.json_response(answer)

    async def _whole(
        self,
        visitor: Visitor,
        update: PageUpdate,
        form: MessageForm | None = None,
    ) -> web.Response:
        view = "comparing" if update.comparison else "choosing" if update.sessions is not None else ""
        update = await self._controller.with_sessions(visitor, update)
        language, settings = visitor.language, await self._controller.settings(visitor)
        drawn = markup.parts(update.state, language)
        drawn["compare"] = markup.compare(update.state, update.comparison, language)
        drawn["chooser"] = markup.chooser(update.sessions or (), self._all_samples, language)
        drawn["foot"] = markup.foot(update.public, language)
        drawn["notice"] = markup.notice(update.notice, language, update.choices)
        drawn["presets"] = self._presets(settings, language)
        drawn["lost"] = markup.notice(Message("page.connection_lost"), language)
        fields: dict[str, object] = {
            "instruction": "",
            "expressive": update.reading,
            "corrects": update.state.head or "",
            **field_values(settings),
        }
        if form is not None:
            fields |= {name: value for name, value in form.model_dump().items() if value is not None}
        page = markup.page(
            {
                **{name: Markup(html) for name, html in drawn.items()},
                "fields": fields,
                "model": self._model,
                "revision": update.revision,
                "reading": update.reading,
                "is_busy": update.state.active is not None,
                "view": view,
                "longest_instruction": self._controller.longest_instruction,
                "longest_text": TEXT_CHARS,
            },
            language,
        )
        return web.Response(text=page, content_type="text/html", headers=ASK_AGAIN)

    def _presets(self, settings: PageSettings, language: str) -> str:
        offered = offers(settings, self._controller.defaults, self._controller.offers_auto)
        return markup.presets(offered, language, settings.asks)


def _visitor(request: web.Request) -> Visitor:
    """Who sends a request, by its cookie, and in which language they want to be answered."""
    return Visitor(person_of(request.headers.get("Cookie")), language_of(request), counted_address(request))
