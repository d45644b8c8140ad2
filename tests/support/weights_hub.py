"""A hub on the loopback: lists repositories and serves their files, with what can go wrong on the way."""

import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "0" * 39 + "1"
LARGE = 200  # bytes from which on a file is in LFS, with a SHA-256


class Hub(ThreadingHTTPServer):
    """`repositories` are {"spaces/owner/name" or "owner/name": {path: bytes}}."""

    daemon_threads = True

    def __init__(self, repositories):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories = repositories
        self.breaks = {}  # path → after how many bytes the connection breaks, once
        self.sizes = {}  # path → the size it is listed with, where that is not its own
        self.revisions = {}  # repository → the revision it was last listed at, "" for the newest
        self.longer = {}  # path → bytes that follow its own
        self.lies = set()  # paths that are served with one wrong byte
        self.asked = []  # (path, Range header) of every file asked for

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def ranges(self, path):
        return [header for asked, header in self.asked if asked == path]

    def listing(self, name):
        files = self.repositories[name]
        return {
            "id": name,
            "sha": COMMIT,
            "siblings": [_sibling(path, files[path]) | self._size(path) for path in files],
        }

    def _size(self, path):
        return {"size": self.sizes[path]} if path in self.sizes else {}


def _sibling(path, data):
    blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    entry = {"rfilename": path, "size": len(data), "blobId": blob}
    if len(data) < LARGE:
        return entry
    lfs = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
    return entry | {"lfs": lfs, "blobId": "f" * 40}


class _Handler(BaseHTTPRequestHandler):
    server: "Hub"
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = urlsplit(self.path).path
        if path.startswith("/api/"):
            name, _, revision = path.removeprefix("/api/").removeprefix("models/").partition("/revision/")
            self._list(name, revision)
        else:
            name, _, rest = path[1:].partition("/resolve/")
            self._serve(name, unquote(rest.partition("/")[2]))

    def _list(self, name, revision):
        self.server.revisions[name] = revision
        if name in self.server.repositories:
            self._send(200, json.dumps(self.server.listing(name)).encode())
        else:
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def _serve(self, name, path):
        hub, data = self.server, self.server.repositories[name].get(path)
        if data is None:
            return self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
        data += bytes(hub.longer.get(path, 0))
        asked = self.headers.get("Range")
        hub.asked.append((path, asked))
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        data = data[start:] if path not in hub.lies else b"?" + data[start + 1 :]
        cut = hub.breaks.pop(path, None)
        return self._send(206 if asked else 200, data, {}, cut)

    def _send(self, status, body, headers=(), cut=None):
        self.send_response(status)
        for header, value in dict(headers).items():
            self.send_header(header, value)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:cut])
        if cut is not None:
            self.close_connection = True

    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def running(repositories):
    """The hub, serving."""
    with Hub(repositories) as hub:
        thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()
