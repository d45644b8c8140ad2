"""The local page in a real browser: what users do, and what they then see."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from bot.policy.limits import Limits
from tests.support.fakes import ScriptedEditor, a_preview, painting
from tests.support.page_gestures import (
    finished,
    give_a_drawing,
    notice,
    open_controls,
    pixels,
    say,
    stage_picture,
    standing_at,
    version,
)
from tests.support.page_server import PHONE, InvertingEditor, inverted, page_server, visit

pytestmark = pytest.mark.asyncio(loop_scope="module")  # the browser's loop


async def test_an_uploaded_picture_is_edited_as_told(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        drawing = await give_a_drawing(page)
        await say(page, "make it night")
        await finished(page, "v1 from v0")
        assert pixels(await stage_picture(page, "before")) == pixels(drawing)
        assert await stage_picture(page, "after") == inverted(drawing)
        await expect(page.locator(".talk .expressive")).to_have_text(
            "Everything becomes its opposite: make it night."
        )
        await expect(page.get_by_label("Instruction", exact=True)).to_have_value("")


async def test_follow_ups_refine_the_last_result(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        drawing = await give_a_drawing(page)
        await say(page, "make it night")
        await finished(page, "v1 from v0")
        await say(page, "and back to day")
        await finished(page, "v2 from v1")
        assert pixels(await stage_picture(page, "after")) == pixels(drawing)


async def test_undo_and_redo_work_as_buttons_words_and_keys(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        await say(page, "make it night")
        await finished(page, "v1 from v0")
        await page.get_by_role("button", name="Undo").click()
        await standing_at(page, "v0")
        await page.get_by_role("button", name="Redo").click()
        await standing_at(page, "v1")
        await say(page, "undo")
        await standing_at(page, "v0")
        await page.keyboard.press("Control+Shift+Z")
        await standing_at(page, "v1")
        await page.keyboard.press("Control+Z")
        await standing_at(page, "v0")


async def test_going_to_a_version_branches_from_it(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        for number, words in enumerate(("make it darker", "make it warmer"), 1):
            await say(page, words)
            await finished(page, f"v{number} from v{number - 1}")
        await version(page, "v1").click()
        await standing_at(page, "v1")
        await say(page, "add more contrast")
        await finished(page, "v3 from v1")


async def test_a_running_edit_shows_how_far_it_is_and_can_be_cancelled(
    chromium: Browser, tmp_path: Path
) -> None:
    editor = ScriptedEditor(slots=1)
    async with page_server(tmp_path, editor) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        await say(page, "make it night")
        edit = await editor.started()
        await expect(page.locator(".pending-line")).to_have_text("reading the picture…")
        edit.report(painting(3, 4, preview=a_preview()))
        await expect(page.locator(".pending-line")).to_have_text("step 3/4")
        await expect(page.get_by_role("progressbar")).to_have_attribute("value", "71")
        await page.get_by_alt_text("Preview").wait_for()
        await say(page, "then make it day")
        await page.locator(".turn.queued").wait_for()
        await page.locator(".turn.running").get_by_role("button", name="Cancel").click()
        await page.locator(".turn.cancelled").wait_for()
        await standing_at(page, "v0")
        assert edit.cancelled


async def test_waiting_behind_others_shows_the_place_in_the_queue(chromium: Browser, tmp_path: Path) -> None:
    editor = ScriptedEditor(slots=1)
    async with (
        page_server(tmp_path, editor) as bot,
        visit(chromium, bot.url) as theirs,
        visit(chromium, bot.url) as mine,
    ):
        for page in (theirs, mine):
            await give_a_drawing(page)
            await say(page, "make it night")
            await page.locator(".turn.running, .turn.queued").wait_for()
        await expect(mine.locator(".pending-line")).to_contain_text("Position 1 of 1 in the queue")
        for page in (theirs, mine):
            (await editor.started()).finish()
            await finished(page, "v1 from v0")


async def test_a_failed_edit_says_so_and_can_be_tried_again(chromium: Browser, tmp_path: Path) -> None:
    editor = ScriptedEditor(slots=1)
    async with page_server(tmp_path, editor) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        await say(page, "make it night")
        for _ in range(2):  # the service tries once more by itself
            (await editor.started()).die()
        failed = page.locator(".turn.failed")
        await expect(failed.locator(".status")).to_contain_text("The edit failed and does not count.")
        await failed.get_by_role("button", name="Retry").click()
        (await editor.started()).finish()
        await finished(page, "v2 from v0")


async def test_a_reload_keeps_the_conversation_and_the_settings(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        await open_controls(page)
        await page.get_by_label("Seed", exact=True).fill("13331")
        await page.get_by_label("Text CFG").fill("7")
        await page.get_by_label("Image CFG").fill("2")
        await say(page, "make the tree leaves green")
        await expect(page.locator(".facts")).to_contain_text("text 7 · image 2 · 4 steps · seed 13331")
        await page.reload()
        await finished(page, "v1 from v0")
        await expect(page.locator(".asked")).to_have_text("make the tree leaves green")
        await expect(page.get_by_label("Seed", exact=True)).to_have_value("13331")
        await expect(page.get_by_label("Text CFG")).to_have_value("7")


async def test_a_page_left_open_over_a_restart_goes_on(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot:
        port = int(bot.url.rsplit(":", 1)[1])
        context = await chromium.new_context()
        page = await context.new_page()
        await page.goto(bot.url)
        await give_a_drawing(page)
    async with page_server(tmp_path, InvertingEditor(), port=port):
        await say(page, "make it night")
        await finished(page, "v1 from v0")
        await context.close()


async def test_browsers_do_not_see_each_other(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as mine:
        await give_a_drawing(mine)
        async with visit(chromium, bot.url) as theirs:
            await theirs.locator(".welcome").wait_for()
            await expect(theirs.locator(".shot")).to_have_count(0)


async def test_a_second_tab_catches_up_when_it_is_looked_at(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        other = await page.context.new_page()
        await other.goto(bot.url)
        await other.locator(".welcome").wait_for()
        await give_a_drawing(page)
        await other.evaluate("window.dispatchEvent(new Event('focus'))")
        await standing_at(other, "v0")


async def test_words_without_a_picture_are_answered(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await say(page, "make it night")
        await expect(notice(page)).to_contain_text("Attach one")
        await expect(page.get_by_label("Instruction", exact=True)).to_have_value("make it night")


async def test_markup_in_words_is_only_text(chromium: Browser, tmp_path: Path) -> None:
    words = "make it red <img src=x onerror=alert(1)> ${1+1}x {{value}}y"
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        await say(page, words)
        await finished(page, "v1 from v0")
        await expect(page.locator(".asked")).to_have_text(words)


HIT = "window.hit=1"
PAYLOADS = [
    f"make it red {payload}"
    for payload in (
        f"${{{HIT}}} {{% {HIT} %}}",
        f"{{{{constructor.constructor('{HIT}')()}}}}",
        f"<script>{HIT}</script>",
        f"</script><script>{HIT}</script>",
        f"<ScRiPt>{HIT}</sCrIpT>",
        f"<<script>{HIT}//<</script>",
        f"<img src=x onerror={HIT}>",
        f"<img src=x onerror='{HIT}'//",
        f'"><img src=x onerror={HIT}>',
        f"'><img src=x onerror={HIT}>",
        f"`><img src=x onerror={HIT}>",
        f"<svg onload={HIT}>",
        f"<svg/onload={HIT}>",
        f"<svg><script>{HIT}</script></svg>",
        f"<svg><animate onbegin={HIT} attributeName=x dur=1s>",
        f"<math><mtext><img src=x onerror={HIT}></math>",
        f"<body onload={HIT}>",
        f"<details open ontoggle={HIT}>x</details>",
        f"<input autofocus onfocus={HIT}>",
        f"<video><source onerror={HIT}></video>",
        f"<audio src=x onerror={HIT}>",
        f"<iframe srcdoc='<script>parent.{HIT}</script>'></iframe>",
        f"<iframe src=javascript:parent.{HIT}></iframe>",
        f"<object data='data:text/html,<script>parent.{HIT}</script>'></object>",
        f"<a href=javascript:{HIT}>x</a>",
        f"<form action=javascript:{HIT}><button>x</button></form>",
        f"<style>@import 'data:,x';</style><b style='x:expression({HIT})'>",
        "<base href=//evil.example/>",
        "<meta http-equiv=refresh content='0;url=//evil.example/'>",
        "<link rel=stylesheet href=//evil.example/x.css>",
        f"<template><script>{HIT}</script></template>",
        f"<noscript><p title='</noscript><img src=x onerror={HIT}>'>",
        f"<!--><img src=x onerror={HIT}>-->",
        f"<textarea></textarea><img src=x onerror={HIT}>",
        f"&lt;img src=x onerror={HIT}&gt;",
        f"\\u003cimg src=x onerror={HIT}\\u003e",
    )
]


async def test_no_words_become_a_script(chromium: Browser, tmp_path: Path) -> None:
    limits = Limits(requests=1000, waiting_per_person=100)
    async with (
        page_server(tmp_path, InvertingEditor(), limits=limits) as bot,
        visit(chromium, bot.url) as page,
    ):
        await give_a_drawing(page)
        for words in PAYLOADS:
            form: dict[str, str | float | bool] = {"instruction": words, "expressive": words}
            assert (await page.request.post(f"{bot.url}/message", form=form)).status == 200
        for _ in range(2):  # by the script, from the stream; then drawn by the server
            await standing_at(page, f"v{len(PAYLOADS)}")
            assert await page.evaluate("window.hit") is None
            await expect(page.locator(".asked").last).to_have_text(PAYLOADS[-1])
            await page.reload()


async def test_what_was_refused_stays_in_the_field(chromium: Browser, tmp_path: Path) -> None:
    async with (
        page_server(tmp_path, InvertingEditor(), limits=Limits(requests=2, window_s=3600)) as bot,
        visit(chromium, bot.url) as page,
    ):
        await give_a_drawing(page)
        await say(page, "make it darker")
        await finished(page, "v1 from v0")
        await say(page, "make it warmer")
        await expect(notice(page)).to_contain_text("Too many requests")
        await expect(page.get_by_label("Instruction", exact=True)).to_have_value("make it warmer")


async def test_a_seed_that_is_none_gets_a_sentence(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        await open_controls(page)
        await page.get_by_label("Seed", exact=True).fill("many")
        await say(page, "make it night")
        await expect(notice(page)).to_contain_text("whole number from 0 to 4294967295")


async def test_a_corrected_reading_paints_the_last_edit_again(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        await say(page, "make it night")
        await finished(page, "v1 from v0")
        reading = page.get_by_label("Expressive Instruction")
        await expect(reading).to_have_value("Everything becomes its opposite: make it night.")
        await reading.fill("The moon shines on the meadow.")
        await reading.press("Enter")
        await finished(page, "v2 from v0")
        await expect(page.locator(".turn.current .asked")).to_have_text("make it night")
        await expect(page.locator(".turn.current .expressive")).to_have_text("The moon shines on the meadow.")


async def test_stronger_starts_from_the_same_version(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        await say(page, "make it night")
        await finished(page, "v1 from v0")
        await page.get_by_role("button", name="Stronger").click()
        await finished(page, "v2 from v0")
        await expect(page.locator(".turn.current .facts")).to_contain_text("text 9 · image 1.3")


async def test_the_slider_compares_before_and_after(chromium: Browser, tmp_path: Path) -> None:
    async with page_server(tmp_path, InvertingEditor()) as bot, visit(chromium, bot.url) as page:
        await give_a_drawing(page)
        await say(page, "make it night")
        await finished(page, "v1 from v0")
        await page.get_by_role("button", name="Slider").click()
        slider = page.get_by_role("slider", name="Slider")
        await slider.focus()
        for _ in range(10):
            await slider.press("ArrowRight")
        after = page.locator(".frame.after")
        assert await after.evaluate("e => getComputedStyle(e).clipPath") == "inset(0px 0px 0px 60%)"


@pytest.mark.parametrize(
    ("locale", "new_picture", "instruction", "undone", "back"),
    [
        ("de-DE", "Neues Bild", "Anweisung", "rückgängig", "Rückgängig"),
        ("es-MX", "Otra imagen", "Instrucción", "deshacer", "Deshacer"),
    ],
)
async def test_the_page_speaks_the_language_of_the_browser(
    chromium: Browser, tmp_path: Path, locale: str, new_picture: str, instruction: str, undone: str, back: str
) -> None:
    async with (
        page_server(tmp_path, InvertingEditor()) as bot,
        visit(chromium, bot.url, PHONE, locale=locale) as page,
    ):
        await page.get_by_role("button", name=new_picture).wait_for()
        await give_a_drawing(page)
        field = page.get_by_label(instruction, exact=True)
        for words, version_ in (("make it night", "v1"), (undone, "v0")):
            await field.fill(words)
            await field.press("Enter")
            await standing_at(page, version_)
        await page.get_by_role("button", name=back).wait_for()
        assert await page.evaluate("document.documentElement.lang") == locale[:2]
        assert await page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
        for english in ("Undo", "New picture", "Instruction", "is your picture", "Before"):
            await expect(page.get_by_text(english, exact=True).filter(visible=True)).to_have_count(0)
