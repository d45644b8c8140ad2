"""What counts as a correction in a real browser: what a person typed, and nothing else."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from conversations.turn import Turn, TurnState
from tests.support.fakes import ScriptedEdit, ScriptedEditor, echo
from tests.support.page_gestures import give_a_drawing, notice, open_controls, say
from tests.support.page_server import PageServer, page_server, visit

pytestmark = pytest.mark.asyncio(loop_scope="module")  # the browser's loop

ROUNDS = 8


HOLDING = """
    const held = [];
    window.holdsEvents = false;
    window.EventSource = class extends EventSource {
        addEventListener(name, listener) {
            super.addEventListener(name, (event) => {
                if (window.holdsEvents) held.push([listener, event]);
                else listener(event);
            });
        }
    };
    window.passEvents = () => {
        window.holdsEvents = false;
        for (const [listener, event] of held.splice(0)) listener(event);
    };
"""


def end(edit: ScriptedEdit) -> None:
    """Finish an edit, read in words of its own."""
    edit.finish(replace(echo(edit.request), expressive=f"The scene: {edit.request.instruction}."))


async def turn_of(bot: PageServer, words: str, state: TurnState) -> Turn:
    """The turn of an instruction, once it is in that state."""
    async with asyncio.timeout(10):
        while True:
            for turn in await bot.store.turns_in(state):
                if turn.instruction == words:
                    return turn
            await asyncio.sleep(0.01)


async def test_typing_ahead_never_corrects(chromium: Browser, tmp_path: Path) -> None:
    editor = ScriptedEditor(slots=1)
    async with page_server(tmp_path, editor) as bot, visit(chromium, bot.url, script=HOLDING) as page:
        await give_a_drawing(page)
        for number in range(ROUNDS):
            first, second, third = (
                f"{word} {number}" for word in ("make it darker", "make it warmer", "add more contrast")
            )
            await say(page, first)
            edit = await editor.started()
            await page.evaluate("window.holdsEvents = true")
            end(edit)
            await turn_of(bot, first, TurnState.DONE)
            await say(page, second)
            if number % 2:  # the answer to the message comes first, else the event
                await page.locator(".asked", has_text=second).wait_for()
            await page.evaluate("window.passEvents()")
            await say(page, third)
            for words in (second, third):
                end(await editor.started())
                assert (await turn_of(bot, words, TurnState.DONE)).reading is None


async def test_what_the_page_overwrote_is_no_correction(chromium: Browser, tmp_path: Path) -> None:
    editor = ScriptedEditor(slots=1)
    async with page_server(tmp_path, editor) as bot, visit(chromium, bot.url) as page:
        reading = page.get_by_label("Expressive Instruction")
        await give_a_drawing(page)
        await say(page, "make it darker")
        edit = await editor.started()
        await expect(page.locator(".turn.current")).to_contain_text("make it darker")
        await reading.fill("half a thought")
        end(edit)
        await expect(reading).to_have_value("The scene: make it darker.")
        await say(page, "make it warmer")
        end(await editor.started())
        assert (await turn_of(bot, "make it warmer", TurnState.DONE)).reading is None


async def test_a_correction_that_was_refused_can_be_sent_again(chromium: Browser, tmp_path: Path) -> None:
    editor = ScriptedEditor(slots=1)
    async with page_server(tmp_path, editor) as bot, visit(chromium, bot.url) as page:
        reading, seed = page.get_by_label("Expressive Instruction"), page.get_by_label("Seed", exact=True)
        await give_a_drawing(page)
        await say(page, "make it darker")
        end(await editor.started())
        await expect(reading).to_have_value("The scene: make it darker.")
        await open_controls(page)
        await seed.fill("many")
        await reading.fill("heavy rain")
        await reading.press("Enter")
        await expect(notice(page)).to_contain_text("whole number")
        await seed.fill("7")
        await seed.press("Enter")
        end(await editor.started())
        await expect(page.locator(".turn.current .who")).to_have_text("v2 from v0")
        [v2, v1] = await bot.store.turns_by((await turn_of(bot, "make it darker", TurnState.DONE)).user)
        assert (v2.instruction, v2.reading, v2.parent_id) == ("make it darker", "heavy rain", v1.parent_id)
        await say(page, "make it warmer")
        end(await editor.started())
        assert (await turn_of(bot, "make it warmer", TurnState.DONE)).reading is None
