"""The page behind a real nginx, set up as in docs/hosting.md, in a real browser."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.support.fakes import ScriptedEditor, painting
from tests.support.page_gestures import finished, give_a_drawing, say, standing_at
from tests.support.page_server import browser, page_server, visit

NAME = "studio.test"
DOCS = Path(__file__).parents[3] / "docs" / "hosting.md"

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not (which("nginx") and which("openssl")), reason="needs nginx and openssl"),
]


@dataclass(frozen=True)
class Setup:
    """One way to put nginx in front of the page.

    heading    of its example in docs/hosting.md
    path       where the page is, as browsers see it
    page_path  PAGE_PATH
    """

    heading: str
    path: str = "/"
    page_path: str = ""
    scheme: str = "http"


SETUPS = [
    Setup("Nothing but `proxy_pass`"),
    Setup("Another port"),
    Setup("Below a path", "/mgie/"),
    Setup("Below a path that is passed on", "/mgie/", "/mgie"),
    Setup("TLS", scheme="https"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def outside() -> AsyncIterator[Browser]:
    """A browser for which the name of the page leads to this machine."""
    async with browser(f"--host-resolver-rules=MAP {NAME} 127.0.0.1", "--no-proxy-server") as started:
        yield started


def example(heading: str) -> str:
    """The configuration below a heading of the document."""
    found = re.search(
        rf"^### {re.escape(heading)}\n.*?```nginx\n(.*?)```", DOCS.read_text("utf-8"), re.M | re.S
    )
    assert found, heading
    return found[1]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def make_certificate(folder: Path) -> None:
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    made = await asyncio.create_subprocess_exec(
        *command.split(),
        *("-subj", f"/CN={NAME}", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"),
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await made.wait() == 0


@asynccontextmanager
async def nginx(folder: Path, setup: Setup, page_port: int) -> AsyncIterator[str]:
    """A running nginx with the example of the document; its address for browsers."""
    port = free_port()
    if setup.scheme == "https":
        await make_certificate(folder)
    server = re.sub(r"listen \d+", f"listen 127.0.0.1:{port}", example(setup.heading))
    server = server.replace("mgie.example.org", NAME).replace("127.0.0.1:7860", f"127.0.0.1:{page_port}")
    server = server.replace("/etc/ssl/mgie", str(folder))
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = folder / "nginx.conf"
    config.write_text(
        f"pid {folder}/nginx.pid;\nerror_log {folder}/error.log;\ndaemon off;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{temporary}{server}\n}}\n"
    )
    child = await asyncio.create_subprocess_exec("nginx", "-p", folder, "-c", config)
    try:
        await answers(port, child)
        yield f"{setup.scheme}://{NAME}:{port}{setup.path}"
    finally:
        if child.returncode is None:
            child.terminate()
        await child.wait()


async def answers(port: int, child: asyncio.subprocess.Process) -> None:
    """Return once something listens at the port."""
    async with asyncio.timeout(10):
        while child.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return
    raise AssertionError("nginx did not start")


@pytest.mark.parametrize("setup", SETUPS, ids=lambda setup: setup.heading)
async def test_the_page_works_behind_a_proxy(outside: Browser, tmp_path: Path, setup: Setup) -> None:
    editor = ScriptedEditor(slots=1)
    async with page_server(tmp_path / "data", editor, names=(NAME,), path=setup.page_path) as bot:
        port = int(re.findall(r":(\d+)", bot.url)[0])
        async with nginx(tmp_path, setup, port) as url, visit(outside, url) as page:
            await give_a_drawing(page)
            await say(page, "make it night")
            edit = await editor.started()
            edit.report(painting(3, 4))
            await expect(page.locator(".pending-line")).to_have_text("step 3/4")  # events pass at once
            edit.finish()
            await finished(page, "v1 from v0")
            after = page.locator(".frame.after img")
            assert await after.evaluate("image => image.decode().then(() => image.naturalWidth)") == 320
            await page.get_by_role("button", name="Undo").click()
            await standing_at(page, "v0")
            await page.reload()
            await standing_at(page, "v0")
            await check_cookie(page, setup)


async def check_cookie(page: Page, setup: Setup) -> None:
    """The cookie is known below the path of the page, and over TLS only where TLS is used."""
    [cookie] = await page.context.cookies()
    assert cookie["secure"] is (setup.scheme == "https")
    assert cookie["path"] == (f"{setup.page_path}/" if setup.page_path else "/")


async def test_another_name_than_those_given_is_refused_in_a_sentence(
    outside: Browser, tmp_path: Path
) -> None:
    async with page_server(tmp_path / "data", ScriptedEditor()) as bot:  # PAGE_NAMES is empty
        port = int(re.findall(r":(\d+)", bot.url)[0])
        context = await outside.new_context()
        async with nginx(tmp_path, SETUPS[1], port) as url, context, await context.new_page() as page:
            answer = await page.goto(url)
            assert answer is not None
            assert answer.status == 421
            await expect(page.locator("body")).to_contain_text("PAGE_NAMES")
