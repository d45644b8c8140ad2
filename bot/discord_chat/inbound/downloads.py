"""Download attachments: from allowed hosts only, without redirects, up to a size limit."""

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from bot.discord_chat.errors import DownloadRefused
from conversations.images.decode import mebibytes
from conversations.messages import Message

CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class DownloadRules:
    """Hosts ("cdn.example.org", or "127.0.0.1:8800" for one port only), bytes and seconds.

    `plain_http` is for servers compatible with Discord; Discord itself is fetched over https only.
    """

    hosts: tuple[str, ...]
    max_bytes: int
    timeout_s: float = 20.0
    plain_http: bool = False

    def allow(self, url: str) -> bool:
        """Whether `url` may be requested: an allowed scheme and exact host, and no credentials."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            return False
        schemes = ("https", "http") if self.plain_http else ("https",)
        if parts.scheme not in schemes or parts.username is not None or not host:
            return False
        return host in self.hosts or (port is not None and f"{host}:{port}" in self.hosts)


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file: its URL, its size in bytes as Discord reports it, its name, whether it is behind a spoiler."""

    url: str
    size: int = 0
    name: str = ""
    is_hidden: bool = False

    @property
    def is_spoiler(self) -> bool:
        """Whether the user attached it behind a spoiler; Discord keeps that in the name, too."""
        return self.is_hidden or self.name.startswith("SPOILER_")


class Downloads:
    """Downloads attachments within the rules; call `close` at the end."""

    def __init__(self, rules: DownloadRules) -> None:
        self._rules = rules
        self._session: aiohttp.ClientSession | None = None

    def allows(self, url: str) -> bool:
        """Whether this URL may be requested."""
        return self._rules.allow(url)

    async def fetch(self, file: RemoteFile) -> bytes:
        """The bytes of the file. Raises DownloadRefused when it is forbidden, too large or unavailable.

        Redirects are not followed: an allowed host must not be able to send the bot elsewhere.
        """
        if not self._rules.allow(file.url):
            raise DownloadRefused(Message("not_downloaded_host"))
        self._check_size(file.size)
        try:
            async with asyncio.timeout(self._rules.timeout_s):
                return await self._fetch(file.url)
        except TimeoutError as error:
            raise DownloadRefused(Message("not_downloaded_timeout")) from error
        except aiohttp.ClientError as error:
            raise DownloadRefused(Message("not_downloaded_connection")) from error

    async def _fetch(self, url: str) -> bytes:
        async with self._open().get(url, allow_redirects=False) as response:
            if response.status != 200:
                raise DownloadRefused(Message("not_downloaded_status", status=str(response.status)))
            self._check_size(response.content_length or 0)
            data = bytearray()
            async for chunk in response.content.iter_chunked(CHUNK):
                data += chunk
                self._check_size(len(data))
            return bytes(data)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            # No decompression: a small compressed body must not expand into a large one.
            self._session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=False
            )
        return self._session

    def _check_size(self, size: int) -> None:
        if size > self._rules.max_bytes:
            limit = mebibytes(self._rules.max_bytes)
            raise DownloadRefused(Message("file_too_large", size=mebibytes(size), limit=limit))

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
