"""A web server on the loopback that offers one file, as a CDN does, with what can go wrong on the way."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CHUNK = 2**20


class FileServer(ThreadingHTTPServer):
    """Answers every GET with `file`, or the part of it that is asked for."""

    daemon_threads = True

    def __init__(self, file: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.file = file
        self.tag = '"1"'
        self.breaks: list[int] = []  # after how many bytes the next answers break off
        self.status: int | None = None  # answered in place of the file
        self.location = ""  # of a redirect
        self.announced: int | None = None  # a size that is not the file's
        self.ranges = True  # whether parts are offered
        self.shifted = 0  # bytes by which parts begin too late
        self.asked: list[str | None] = []  # the Range of every request
        self.headers: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/ml-research/models/mgie/mgie_7b.tar.gz"


class _Handler(BaseHTTPRequestHandler):
    server: FileServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server, asked = self.server, self.headers.get("Range")
        server.asked.append(asked)
        server.headers.append(dict(self.headers))
        if server.status:
            return self._answer(server.status, {"Content-Length": "0", "Location": server.location})
        size = server.announced or server.file.stat().st_size
        headers = {"ETag": server.tag, "Content-Length": str(size)}
        if asked and server.ranges and self.headers.get("If-Range") in (None, server.tag):
            start = int(asked.removeprefix("bytes=").rstrip("-")) + server.shifted
            headers |= {
                "Content-Length": str(size - start),
                "Content-Range": f"bytes {start}-{size - 1}/{size}",
            }
            self._answer(206, headers)
        else:
            start = 0
            self._answer(200, headers)
        return self._send(start, server.breaks.pop(0) if server.breaks else None)

    def _answer(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, start: int, left: int | None) -> None:
        with self.server.file.open("rb") as file:
            file.seek(start)
            while chunk := file.read(CHUNK if left is None else min(CHUNK, left)):
                self.wfile.write(chunk)
                left = None if left is None else left - len(chunk)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(file: Path) -> Iterator[FileServer]:
    """The server, serving."""
    with FileServer(file) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
