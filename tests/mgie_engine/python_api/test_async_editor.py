"""`AsyncEditor` with a tiny model in its process."""

import asyncio
from pathlib import Path

import pytest

from mgie_engine import AsyncEditor, Progress
from mgie_engine.checkpoints import native
from mgie_engine.errors import EditCancelled, EngineError, ModelError, RequestRefused
from tests.support.fakes import a_picture
from tests.support.tiny_serving import a_tiny_mgie


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("async") / "model"
    native.save(a_tiny_mgie(), folder)
    return folder


async def test_edits_that_are_awaited_together_are_made_and_a_cancelled_one_is_not(model: Path):
    seen: list[Progress] = []
    async with AsyncEditor(model, device="cpu") as editor:
        many = [editor.edit(a_picture(50, 30), "darker", seed=seed, steps=2) for seed in range(20)]
        dropped = asyncio.create_task(editor.edit(a_picture(), "darker", steps=200))
        one = asyncio.create_task(editor.edit(a_picture(), "darker", steps=2, progress=seen.append))
        await asyncio.sleep(0)
        dropped.cancel()
        made = await asyncio.gather(*many, one)
        with pytest.raises((asyncio.CancelledError, EditCancelled)):
            await dropped
        with pytest.raises(RequestRefused):
            await editor.edit(a_picture(), " ")
        with pytest.raises(RequestRefused, match="reads English only"):
            await editor.edit(a_picture(), "mach es dunkler")
    assert [edit.settings.seed for edit in made[:-1]] == list(range(20))
    assert {edit.model for edit in made} == {editor.model}
    assert seen


def test_no_model_is_said_when_the_editor_is_made():
    with pytest.raises(ModelError, match="No model 'nothing'"):
        AsyncEditor("nothing")


async def test_an_editor_that_was_not_entered_says_so(model: Path):
    with pytest.raises(EngineError, match="async with"):
        await AsyncEditor(model).edit(a_picture(), "darker")
