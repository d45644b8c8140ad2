"""How the page answers: its script gets the parts that changed as JSON, a browser without one whole pages."""

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from bot.i18n.catalog import accepted_locale, translator
from bot.web_chat import markup
from bot.web_chat.page_settings import PageSettings
from bot.web_chat.page_update import PageUpdate
from bot.web_chat.request_limits import SEND_S
from bot.web_chat.samples import Sample
from conversations.messages import Message


def language_of(request: web.Request) -> str:
    """The language of ours that the browser asks for."""
    return accepted_locale(request.headers.get("Accept-Language"))


def wants_json(request: web.Request) -> bool:
    """Whether the script of the page asks, which puts the parts in place itself."""
    return "application/json" in request.headers.get("Accept", "")


def update_json(
    update: PageUpdate, language: str, samples: tuple[Sample, ...], settings: PageSettings | None = None
) -> dict[str, Any]:
    """What `apply` of page.js takes: drawn parts by the id of their element, and values of fields."""
    parts = markup.parts(update.state, language)
    if update.comparison is not None:
        parts["compare"] = markup.compare(update.state, update.comparison, language)
    if update.sessions is not None:
        parts["chooser"] = markup.chooser(update.sessions, samples, language)
    answer: dict[str, Any] = {
        "revision": update.revision,
        "parts": parts,
        "reading": update.reading,
        "taken": update.is_taken,
    }
    if settings is not None:
        answer["settings"] = field_values(settings)
    return answer


def field_values(settings: PageSettings) -> dict[str, str]:
    """The settings as they stand in their fields."""
    return {
        "seed": "" if settings.seed is None else str(settings.seed),
        "steps": str(settings.steps),
        "text_cfg": f"{settings.text_cfg:g}",
        "image_cfg": f"{settings.image_cfg:g}",
    }


def refused(request: web.Request, status: int, message: Message) -> web.Response:
    """A request that the page never makes, or that came at the wrong time: a sentence."""
    language = language_of(request)
    if wants_json(request):
        return web.json_response({"notice": markup.notice(message, language)}, status=status)
    return web.Response(text=translator(language)(message), status=status)


class FileAnswer(web.FileResponse):
    """A file that `send` sends; aiohttp's own would be sent once more after it."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send the file, once."""
        return None if self.prepared else await super().prepare(request)


async def send(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Send an answer to its end, or until the browser goes or reads too slowly."""
    try:
        async with asyncio.timeout(SEND_S):
            await response.prepare(request)
            await response.write_eof()
        if response.status == 408 and request.transport is not None:
            request.transport.close()  # instead of reading on for a while what was too slow
    except (TimeoutError, ConnectionError):
        if request.transport is not None:
            request.transport.abort()
    return response
