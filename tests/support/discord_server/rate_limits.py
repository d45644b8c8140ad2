"""Discord's usual rate limits: a fixed window per route and channel (or webhook token), and one for all.

The service publishes no numbers and may change them; these are the ones that its headers have named for
years (posting and editing count apart: discord-api-docs#8073). A client must learn them from the headers.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

CHANNEL = "/channels/{channel_id}"
GLOBAL = "global"


@dataclass(frozen=True, slots=True)
class Bucket:
    """So many requests in so many seconds."""

    name: str
    limit: int
    window_s: float


SEND = Bucket("send", 5, 5.0)
EDIT = Bucket("edit", 5, 5.0)
DELETE = Bucket("delete", 5, 1.0)
REACT = Bucket("react", 1, 0.25)
TYPE = Bucket("type", 5, 5.0)
ANSWER = Bucket("answer", 5, 2.0)
EVERYTHING = Bucket(GLOBAL, 50, 1.0)
MAJOR = ("channel_id", "webhook_token", "interaction_token")


def bucket_of(method: str, path: str) -> Bucket | None:
    """The bucket of a route, given its path template; None for one without a limit of its own."""
    match method, path.removeprefix(CHANNEL):
        case "POST", "/messages":
            return SEND
        case "PATCH", "/messages/{message_id}":
            return EDIT
        case "DELETE", "/messages/{message_id}":
            return DELETE
        case "PUT" | "DELETE", rest if "/reactions/" in rest:
            return REACT
        case "POST", "/typing":
            return TYPE
    return ANSWER if path.startswith("/webhooks/") else None


@dataclass(slots=True)
class _Window:
    ends_s: float
    used: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a request: the headers of its answer, and for how long it is refused, if it is."""

    headers: dict[str, str]
    retry_after_s: float | None = None
    is_global: bool = False


class RateLimits:
    """Counts requests; `speed` > 1 shortens every window, for tests."""

    def __init__(self, speed: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._speed, self._clock = speed, clock
        self._windows: dict[tuple[str, str], _Window] = {}
        self.refused = 0  # answers with status 429

    def judge(self, method: str, path: str, parameters: Mapping[str, str]) -> Verdict:
        """Count a request to this path template with these path parameters."""
        is_interaction = any(name in parameters for name in ("webhook_token", "interaction_token"))
        if not is_interaction and (wait_s := self._take(EVERYTHING, "")[1]) is not None:
            return self._refusal({}, wait_s, is_global=True)
        bucket = bucket_of(method, path)
        if bucket is None:
            return Verdict({})
        major = next((parameters[name] for name in MAJOR if name in parameters), "")
        window, wait_s = self._take(bucket, major)
        headers = self._headers(bucket, window)
        return Verdict(headers) if wait_s is None else self._refusal(headers, wait_s)

    def _take(self, bucket: Bucket, major: str) -> tuple[_Window, float | None]:
        """The window, and the seconds until it ends where it is used up."""
        now_s = self._clock()
        window = self._windows.get((bucket.name, major))
        if window is None or window.ends_s <= now_s:
            window = self._windows[bucket.name, major] = _Window(now_s + bucket.window_s / self._speed)
        if window.used >= bucket.limit:
            return window, window.ends_s - now_s
        window.used += 1
        return window, None

    def _headers(self, bucket: Bucket, window: _Window) -> dict[str, str]:
        left_s = max(0.0, window.ends_s - self._clock())
        return {
            "X-RateLimit-Limit": str(bucket.limit),
            "X-RateLimit-Remaining": str(bucket.limit - window.used),
            "X-RateLimit-Reset": f"{time.time() + left_s:.3f}",
            "X-RateLimit-Reset-After": f"{left_s:.3f}",
            "X-RateLimit-Bucket": f"{bucket.name}-hash",
        }

    def _refusal(self, headers: dict[str, str], wait_s: float, *, is_global: bool = False) -> Verdict:
        self.refused += 1
        scope = {"X-RateLimit-Global": "true"} if is_global else {}
        more = {
            "Retry-After": f"{wait_s:.3f}",
            "X-RateLimit-Scope": GLOBAL if is_global else "user",
            "Via": "1.1 google",
        }
        return Verdict({**headers, **scope, **more}, round(wait_s, 3), is_global)
