"""Errors as clients of OpenAI's API know them: {"error": {"message", "type", "param", "code"}}."""

from collections.abc import Sequence

from aiohttp import web

from bot.chat.replies import Button
from bot.i18n.catalog import ENGLISH, translator
from conversations.messages import Message

RETRY_S = 10  # after which a refused client may ask again
_BUSY = frozenset(
    {"too_fast", "silenced", "too_many_waiting", "queue_full", "share_used_up", "share_too_little"}
)
_UNAVAILABLE = frozenset(
    {"paused", "safety_broken", "restarting", "disk_full", "storage_full", "broke_up", "unexpected", "failed"}
)


class ApiError(Exception):
    """The request is answered with an error.

    status  of HTTP
    kind    "invalid_request_error", "rate_limit_error", "server_error" …
    code    what a program may look at; param: the field that is meant
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param

    @property
    def body(self) -> dict[str, dict[str, str | None]]:
        """The error as clients read it."""
        return {"error": {"message": str(self), "type": self.kind, "param": self.param, "code": self.code}}

    def response(self) -> web.Response:
        """The error as an answer."""
        headers = {"Retry-After": str(RETRY_S)} if self.status in (429, 503) else {}
        return web.json_response(self.body, status=self.status, headers=headers)


def refusal(message: Message, buttons: Sequence[Button] = ()) -> ApiError:
    """The error for an edit that the rules, the reader of pictures or the model refused.

    `buttons` of the message: instructions that would work are named.
    """
    words, code = translator(ENGLISH)(message), message.code
    if suggested := [f"“{button.says}”" for button in buttons if button.says]:
        words = f"{words} {', '.join(suggested)}."
    if code in _BUSY:
        return ApiError(429, words, kind="rate_limit_error", code=code)
    if code in _UNAVAILABLE:
        return ApiError(503, words, kind="server_error", code=code)
    param = {"file": "image", "mask": "mask"}.get(code.partition("_")[0], "prompt")
    return ApiError(400, words, code=code, param=param)
