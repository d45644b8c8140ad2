"""Things that go wrong on purpose: chosen answers to the next requests that match."""

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.support.discord_server.world import Json


@dataclass(eq=False)
class Fault:
    """How to answer; `when` "before" refuses the request, "after" does it and loses the answer."""

    method: str
    path: re.Pattern[str]
    status: int
    body: Json
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1
    when: Literal["before", "after"] = "before"
    said: str = ""  # strikes only where the body's nonce holds this
    with_files: bool = False  # strikes only where the body brings files
    silent: bool = False  # never answers at all
    hangs_up: bool = False  # closes the connection instead
    met: int = 0

    def strikes(self, method: str, path: str, body: Json, when: str) -> bool:
        """Whether this request meets the fault; counts it if so."""
        if self.met >= self.times or when != self.when or self.said not in str(body.get("nonce", "")):
            return False
        if self.with_files and not body.get("attachments"):
            return False
        if method != self.method or not self.path.search(path):
            return False
        self.met += 1
        return True


class Faults:
    """The faults waiting to be met, oldest first."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._waiting.clear()

    def add(self, fault: Fault) -> Fault:
        self._waiting.append(fault)
        return fault

    def server_error(
        self,
        method: str,
        path: str,
        *,
        status: int = 502,
        times: int = 1,
        done: bool = False,
        said: str = "",
    ) -> Fault:
        """A 5xx; with `done` the request takes effect all the same and only its answer is lost."""
        when: Literal["before", "after"] = "after" if done else "before"
        body = {"message": f"{status}: upstream trouble", "code": 0}
        return self.add(Fault(method, re.compile(path), status, body, times=times, when=when, said=said))

    def rate_limit(
        self, method: str, path: str, *, retry_after_s: float = 0.05, via: bool = True, said: str = ""
    ) -> Fault:
        """A 429; without a Via header clients must take it for a ban by the proxy in front."""
        headers = {"Retry-After": str(retry_after_s), **({"Via": "1.1 google"} if via else {})}
        body = {"message": "You are being rate limited.", "retry_after": retry_after_s, "global": False}
        return self.add(Fault(method, re.compile(path), 429, body, headers, said=said))

    def refuse(
        self,
        method: str,
        path: str,
        code: int,
        message: str,
        *,
        status: int = 400,
        times: int = 1,
        said: str = "",
        with_files: bool = False,
    ) -> Fault:
        """A plain API error such as 30046 or 50013."""
        body = {"code": code, "message": message}
        fault = Fault(method, re.compile(path), status, body, times=times, said=said, with_files=with_files)
        return self.add(fault)

    def silence(self, method: str, path: str, *, said: str = "") -> Fault:
        """The request takes effect and no answer ever comes."""
        return self.add(Fault(method, re.compile(path), 0, {}, when="after", said=said, silent=True))

    def hang_up(self, method: str, path: str, *, times: int = 1) -> Fault:
        """The connection is closed in place of an answer."""
        return self.add(Fault(method, re.compile(path), 0, {}, times=times, hangs_up=True))

    def struck(self, method: str, path: str, body: Any, when: str) -> Fault | None:
        """The first waiting fault this request meets."""
        fields = body if isinstance(body, dict) else {}
        return next((f for f in self._waiting if f.strikes(method, path, fields, when)), None)
