"""A page with few file descriptors goes on answering, and writes no more than a line a minute."""

import asyncio
import socket
import sys
from asyncio.subprocess import PIPE
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

PAGE = """
import asyncio, logging, os, resource, sys
from pathlib import Path
from tests.support.page_server import InvertingEditor, page_server

logging.basicConfig(level="WARNING")

async def is_started():  # decoders and the first clean-up open files of their own, a little later
    counts = []
    while len(counts) < 10 or len(set(counts[-10:])) > 1:
        counts.append(len(os.listdir("/dev/fd")))
        await asyncio.sleep(0.1)

async def main():
    spare = int(sys.argv[2])
    async with page_server(Path(sys.argv[1]), InvertingEditor()) as bot:
        await is_started()
        if spare:  # fewer descriptors than the page reckoned with
            now = len(os.listdir("/dev/fd"))
            resource.setrlimit(resource.RLIMIT_NOFILE, (now + spare, now + spare))
        print(bot.url, flush=True)
        await asyncio.to_thread(sys.stdin.read)

if not int(sys.argv[2]):
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts descriptors in /dev/fd")
@pytest.mark.parametrize("spare", [0, 10], ids=["64 in all", "10 left without warning"])
async def test_two_hundred_idle_connections_do_not_stop_the_page(tmp_path: Path, spare: int) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PAGE, str(tmp_path), str(spare), stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    assert child.stdout is not None
    async with asyncio.timeout(90):
        url = (await child.stdout.readline()).decode().strip()
        port = urlsplit(url).port
        assert port is not None
        with ExitStack() as idle:
            for _ in range(200):
                idle.enter_context(socket.create_connection(("127.0.0.1", port)))
            async with httpx.AsyncClient(base_url=url, timeout=30) as visitor:
                for _ in range(5):
                    assert (await visitor.get("/static/page.css")).status_code == 200
                    await asyncio.sleep(0.5)
        _, said = await child.communicate(b"")
    assert len(said.splitlines()) <= 1, said.decode()[-2000:]
