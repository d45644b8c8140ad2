"""Take the pictures of docs/chat.md: every state of the chat, drawn by the loopback server's own page.

    python -m tests.support.discord_images docs/images

Needs Chromium (`--chromium`, default /usr/bin/chromium). The editor colours the picture by the instruction,
so that the pictures do not depend on any weights.
"""

import argparse
import asyncio
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageEnhance, ImageOps

from mgie_engine.edits import EditRequest, EditResult, Progress, Stage
from tests.bot.discord_chat.test_buttons import a_card, next_result
from tests.support.discord_gestures import opened, press, seen
from tests.support.discord_room import Room, person, results_in, room
from tests.support.discord_server.page import STYLE, Page
from tests.support.discord_server.portrait import save_small
from tests.support.discord_server.world import Message
from tests.support.fakes import ScriptedEdit, ScriptedEditor

SAMPLE = Path(__file__).parents[2] / "bot" / "samples" / "house.png"
WIDTH_PX, MOST_BYTES = 640, 150_000
UNDERSTOOD = {
    "make it dusk": "The scene lies in the last light of the day, with long shadows and a darker sky.",
    "now in autumn": "The leaves have turned red and orange, and the light is warm.",
}


def painted(request: EditRequest) -> EditResult:
    """The picture in another light, strength and all."""
    with Image.open(io.BytesIO(request.image)) as picture:
        rgb = picture.convert("RGB")
    tint = (44, 52, 110) if "dusk" in request.instruction else (214, 120, 30)
    toned = ImageOps.colorize(rgb.convert("L"), (10, 8, 14), (255, 244, 224), mid=tint)
    mixed = Image.blend(rgb, toned, min(0.85, request.settings.text_cfg / 14))
    file = io.BytesIO()
    ImageEnhance.Contrast(mixed).enhance(1.1).save(file, "PNG")
    understood = request.reading or UNDERSTOOD.get(request.instruction, request.instruction)
    seconds = {"reading": 0.4, "painting": 4.9, "finishing": 0.3}
    return EditResult(file.getvalue(), understood, request.settings, "album", rgb.size, seconds, changed=1.0)


async def finish(editor: ScriptedEditor) -> ScriptedEdit:
    """End the next edit well."""
    edit = await editor.started()
    edit.finish(painted(edit.request))
    return edit


class Album:
    """Plays the scenes in one room and keeps the messages worth a picture."""

    def __init__(self, r: Room, editor: ScriptedEditor) -> None:
        self._r, self._editor = r, editor
        self.pages: dict[str, str] = {}

    def keep(self, name: str, messages: Sequence[Message]) -> None:
        """Draw these messages, as one picture of that name."""
        self.pages[name] = "".join(map(Page(self._r.discord).draw, messages))

    async def play(self) -> None:
        """All scenes."""
        result = await self._a_first_edit()
        await self._behind_the_card(result)
        await self._the_line(result)
        await self._whose_picture()
        await self._a_sheet()
        await self._which_picture()
        await self._when_it_fails(result)
        await self._before_the_moderators(result)

    async def _a_first_edit(self) -> Message:
        r = self._r
        asked = r.discord.say(
            r.channel, r.anna, "make it dusk", files={"house.png": SAMPLE.read_bytes()}, mention=True
        )
        await finish(self._editor)
        result = await r.result(asked)
        await r.turns_end()
        self.keep("chat-done", [asked, result])
        return result

    async def _behind_the_card(self, result: Message) -> None:
        r = self._r
        self.keep("chat-compare", [await press(r, result, "Compare")])
        panel, more = await press(r, result, "Strengths"), await press(r, result, "More")
        self.keep("chat-more", [panel, more])
        form = await opened(r, r.discord.press(result, "Refine", r.anna))
        self.pages["chat-form"] = Page(r.discord).draw_form(form.modal or {})

    async def _the_line(self, result: Message) -> None:
        """One edit with a preview, another that waits for its turn; then the latter is cancelled."""
        r = self._r
        running = r.discord.say(r.channel, r.anna, "now in autumn", reply_to=result)
        edit = await self._editor.started()
        waiting = r.discord.say(r.channel, r.ben, "make it dusk", reply_to=result)
        await r.answer(waiting)
        understood = UNDERSTOOD[edit.request.instruction]
        edit.report(Progress(Stage.PAINTING, 22, 50, understood, _preview(edit.request)))
        card = await r.discord.wait_for(lambda: _with_picture(r))
        self.keep("chat-waiting", [running, card, waiting, (await r.answer(waiting))])
        self.keep("chat-queue", [await seen(r, r.discord.slash(r.channel, r.ben, "queue"))])
        await press(r, await r.answer(waiting), "Cancel", r.ben)
        over = await a_card(r, "🚫")
        edit.finish(painted(edit.request))
        await r.result(running)
        self.keep("chat-cancelled", [over])

    async def _whose_picture(self) -> None:
        r = self._r
        photo = r.discord.say(r.channel, r.ben, "our house", files={"house.png": SAMPLE.read_bytes()})
        asked = r.discord.say(r.channel, r.anna, "make it dusk", reply_to=photo, mention=True)
        self.keep("chat-consent", [asked, await r.answer(asked)])

    async def _a_sheet(self) -> None:
        r = self._r
        before = len(results_in(r.discord, r.channel))
        await seen(r, r.discord.slash(r.channel, r.anna, "grid", text_cfg="4 7.5 11", image_cfg="1.5"))
        for _ in range(3):
            await finish(self._editor)
        self.keep("chat-grid", [await next_result(r, before + 1)])

    async def _which_picture(self) -> None:
        """Words of somebody who stands nowhere here."""
        r = self._r
        asked = r.discord.say(r.channel, person(r.discord, "clara"), "make it brighter", mention=True)
        self.keep("chat-which", [asked, await r.answer(asked)])

    async def _when_it_fails(self, result: Message) -> None:
        r = self._r
        asked = r.discord.say(r.channel, r.anna, "make it glow", reply_to=result)
        for _ in range(2):
            (await self._editor.started()).die()
        self.keep("chat-failed", [asked, await a_card(r, "⚠️")])

    async def _before_the_moderators(self, result: Message) -> None:
        """A report, what is decided about it, and what holds in the server then."""
        r, moderator = self._r, self._r.discord.world.owner
        channel = r.discord.world.add_channel("moderators")
        await seen(r, r.discord.slash(channel, moderator, "admin reports"))
        form = await opened(r, r.discord.menu(result, r.ben, "Report edit"))
        await seen(r, r.discord.fill_in(form, words="that is my house"))
        (card,) = await r.discord.wait_for(lambda: r.discord.messages_of_bot(channel))
        self.keep("chat-report", [card])
        await press(r, card, "Dismiss", moderator)
        await r.discord.wait_for(lambda: card.edits)
        await seen(r, r.discord.slash(channel, moderator, "admin limits", per_day=20))
        status = await seen(r, r.discord.slash(channel, moderator, "admin status"))
        log = await seen(r, r.discord.slash(channel, moderator, "admin log"))
        self.keep("chat-admin", [card, status, log])


def _preview(request: EditRequest) -> bytes:
    """What the engine shows on the way: small and soft."""
    with Image.open(io.BytesIO(painted(request).image)) as picture:
        picture.thumbnail((64, 64))
        soft = picture.resize((256, round(256 * picture.height / picture.width)))
    file = io.BytesIO()
    soft.save(file, "WEBP", quality=60)
    return file.getvalue()


def _with_picture(r: Room) -> Message | None:
    cards = [m for m in r.discord.messages_of_bot(r.channel) if m.uploads and m.nonce]
    return next((m for m in cards if "%" in (m.nonce or "")), None)


async def take(folder: Path, chromium: str) -> None:
    """Play and photograph."""
    from playwright.async_api import async_playwright  # only here: tests borrow nothing from this module

    editor = ScriptedEditor()
    with tempfile.TemporaryDirectory() as data:
        async with (
            room(Path(data), editor) as r,
            async_playwright() as playwright,
        ):
            album = Album(r, editor)
            await album.play()
            browser = await playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
            )
            page = await browser.new_page(viewport={"width": WIDTH_PX, "height": 400})
            for name, body in album.pages.items():
                await page.set_content(f"<style>{STYLE}</style><main>{body}</main>", wait_until="networkidle")
                shot = await page.locator("main").screenshot()
                await asyncio.to_thread(save_small, shot, folder / f"{name}.png", MOST_BYTES)
            await browser.close()


def main() -> None:
    """Read where the pictures go."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.discord_images", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    given = parser.parse_args()
    asyncio.run(take(given.folder, given.chromium))


if __name__ == "__main__":
    main()
