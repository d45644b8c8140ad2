"""The page shows the question whether it understood, and can do without."""

from pathlib import Path

from bot.chat.events import ButtonAction
from bot.web_chat.forms import PressedButton
from bot.web_chat.markup import presets, talk
from tests.bot.web_chat.test_controller import VISITOR, a_file, controller_of, submission
from tests.support.asking_editor import AskingEditor
from tests.support.page_server import parts


async def test_a_question_has_its_answers_as_buttons(tmp_path: Path) -> None:
    async with parts(tmp_path, AskingEditor()) as (_, images, workflow):
        here = controller_of(images, workflow)
        await here.upload(VISITOR, a_file)
        await here.submit(VISITOR, submission("maybe make it blue"))
        await workflow.drain(30)
        state = (await here.current(VISITOR)).state
        drawn = talk(state, "en")
        question = state.cards[-1]
        assert "I am not sure that I understood you" in drawn
        assert "The ball turns blue." in drawn
        assert f'name="do_it" value="{question.turn_id}"' in drawn
        assert f'name="do_other" value="{question.turn_id}"' in drawn
        assert state.head == question.parent


async def test_the_questions_are_switched_off_and_stay_off_when_a_strength_changes(tmp_path: Path) -> None:
    async with parts(tmp_path, AskingEditor()) as (_, images, workflow):
        here = controller_of(images, workflow)
        assert (await here.settings(VISITOR)).asks
        await here.upload(VISITOR, a_file)
        await here.act(VISITOR, PressedButton("ask", "off"))
        assert not (await here.settings(VISITOR)).asks
        settings = (await here.settings(VISITOR)).__class__(9.0, 1.5, 4)
        await here.submit(VISITOR, submission("maybe make it blue", settings=settings))
        assert not (await here.settings(VISITOR)).asks
        await workflow.drain(30)
        last = (await here.current(VISITOR)).state.cards[-1]
        assert (last.is_answer, last.instruction) == (False, "maybe make it blue")
        assert ButtonAction.DO_IT not in [button.act for button in last.buttons]


def test_the_page_says_whether_it_asks() -> None:
    assert 'name="ask" value="off" class="chip" aria-pressed="true"' in presets((), "en")
    assert 'name="ask" value="on" class="chip" aria-pressed="false"' in presets((), "en", asks=False)
