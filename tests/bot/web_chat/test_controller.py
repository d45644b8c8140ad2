"""What the controller makes of acts, without a browser."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.chat.replies import Card, CardState
from bot.policy.limits import Limits
from bot.web_chat.controller import PageController, Submission, Visitor
from bot.web_chat.forms import PressedButton
from bot.web_chat.image_responses import ImageFiles
from bot.web_chat.live_cards import USERS, LiveCards
from bot.web_chat.page_settings import PageSettings, seed_of
from bot.web_chat.samples import read_samples
from bot.workflow.dispatcher import EditWorkflow
from conversations.errors import PictureMissing, SettingsRefused
from conversations.images.image_store import ImageStore
from conversations.images.picture_views import PictureViews
from conversations.messages import Message, joined
from conversations.thread_pools import ThreadPools
from conversations.turn import Turn
from tests.support.fakes import ScriptedEditor
from tests.support.page_server import DEFAULTS, InvertingEditor, a_drawing, parts

ANN = "web:ann"
VISITOR = Visitor(ANN)
NO_COOKIE = Message("page.no_cookie")
KNOBS = PageSettings(DEFAULTS.text_cfg, DEFAULTS.image_cfg, DEFAULTS.steps)


def submission(
    instruction: str, correction: str = "", corrects: str = "", settings: PageSettings = KNOBS
) -> Submission:
    return Submission(instruction, correction, corrects, settings)


@asynccontextmanager
async def controller(folder: Path) -> AsyncIterator[PageController]:
    async with parts(folder, InvertingEditor()) as (_, images, workflow):
        yield controller_of(images, workflow)


def controller_of(images: ImageStore, workflow: EditWorkflow) -> PageController:
    """A controller with live cards of its own."""
    live_cards = LiveCards()
    workflow.connect(live_cards)
    return PageController(workflow, live_cards, ImageFiles(images, workflow.pictures), read_samples(), KNOBS)


async def a_file() -> bytes:
    """What an upload gives."""
    return a_drawing()


async def test_every_act_of_a_user_is_a_change_for_all_their_pages(tmp_path: Path) -> None:
    async with controller(tmp_path) as here:
        updates = [await here.upload(VISITOR, a_file)]
        updates.append(await here.submit(VISITOR, submission("make it night")))
        updates += [await here.act(VISITOR, PressedButton(act)) for act in ("undo", "redo")]
        numbers = [int(update.revision.partition(".")[2]) for update in updates]
        assert numbers == sorted(set(numbers))


async def test_undo_cancels_the_running_edit_and_says_so(tmp_path: Path) -> None:
    editor = ScriptedEditor()
    async with parts(tmp_path, editor) as (_, images, workflow):
        here = controller_of(images, workflow)
        await here.upload(VISITOR, a_file)
        await here.submit(VISITOR, submission("make it night"))
        edit = await editor.started()
        said = (await here.act(VISITOR, PressedButton("undo"))).notice
        stopped, back = Message("stopped", version="v1"), Message("back_at", version="v0")
        assert said == joined(" ", stopped, back)
        assert edit.cancelled


async def test_waiting_ends_with_a_change_with_the_time_and_with_the_server() -> None:
    live_cards, turn = LiveCards(), Turn("k3f9", "s", 1, "root", ANN)
    seen, waiter = live_cards.revision(ANN), asyncio.Event()
    assert await live_cards.changed(ANN, "of an earlier run.7", 60, waiter)
    assert not await live_cards.changed(ANN, seen, 0.01, waiter)
    waiter.set()  # the browser is gone
    assert not await live_cards.changed(ANN, seen, 60, waiter)
    waiting = asyncio.create_task(live_cards.changed(ANN, seen, 60, waiter))
    await asyncio.sleep(0)
    await live_cards.show(turn, Card("k3f9", "v1", ANN, CardState.RUNNING))
    assert await waiting
    waiting = asyncio.create_task(live_cards.changed(ANN, live_cards.revision(ANN), 60, waiter))
    await asyncio.sleep(0)
    live_cards.close()
    assert not await waiting


async def test_users_who_never_come_back_cost_no_memory() -> None:
    live_cards = LiveCards()
    live_cards.touch(ANN)
    first = live_cards.revision(ANN)
    for number in range(USERS):
        live_cards.touch(f"web:{number}")
        live_cards.revision(f"web:never seen {number}")
    assert len(live_cards._changes) == USERS
    assert int(live_cards.revision(ANN).partition(".")[2]) >= int(first.partition(".")[2])


async def test_the_longest_instruction_is_that_of_the_limits(tmp_path: Path) -> None:
    limits = Limits(instruction_chars=450)
    async with parts(tmp_path, InvertingEditor(), limits=limits) as (_, images, workflow):
        here = controller_of(images, workflow)
        await here.upload(VISITOR, a_file)
        update = await here.submit(VISITOR, submission("make it darker ".ljust(451, "x")))
        assert here.longest_instruction == 450
    assert update.notice == Message("too_long", count=451, limit=450)


async def test_the_board_holds_the_latest_card_until_the_end() -> None:
    live_cards, turn = LiveCards(), Turn("k3f9", "s", 1, "root", ANN)
    stored = Card("k3f9", "v1", ANN, CardState.RUNNING)
    live, done = (
        replace(stored, status=Message("painting", step=3, steps=4)),
        replace(stored, state=CardState.DONE),
    )
    before = live_cards.revision(ANN)
    assert await live_cards.show(turn, live) == "web:k3f9"
    assert live_cards.revision(ANN) != before
    assert live_cards.latest(ANN, stored) == live
    assert live_cards.latest(ANN, done) == done
    await live_cards.show(turn, done)
    assert live_cards.latest(ANN, stored) == stored


async def test_the_card_of_an_erased_turn_leaves_the_board() -> None:
    live_cards, turn = LiveCards(), Turn("k3f9", "s", 1, "root", ANN)
    stored = Card("k3f9", "v1", ANN, CardState.RUNNING)
    await live_cards.show(turn, replace(stored, status=Message("painting", step=3, steps=4)))
    before = live_cards.revision(ANN)
    await live_cards.retract(turn, None)
    assert live_cards.latest(ANN, stored) == stored
    assert live_cards.revision(ANN) != before


async def test_without_a_cookie_nothing_is_taken(tmp_path: Path) -> None:
    async with controller(tmp_path) as here:
        assert (await here.upload(Visitor(None), a_file)).notice == NO_COOKIE
        assert (await here.submit(Visitor(None), submission("make it night"))).notice == NO_COOKIE
        assert (await here.act(Visitor(None), PressedButton("undo"))).notice == NO_COOKIE


async def test_a_preview_stays_in_sight_until_the_next_one() -> None:
    live_cards, turn = LiveCards(), Turn("k3f9", "s", 1, "root", ANN)
    stored = Card("k3f9", "v1", ANN, CardState.RUNNING)
    for preview, seen in ((b"soft", b"soft"), (None, b"soft"), (b"sharper", b"sharper"), (None, b"sharper")):
        await live_cards.show(turn, replace(stored, preview=preview))
        assert live_cards.latest(ANN, stored).preview == seen


@pytest.mark.parametrize("about", ["../x", "house/99", "nothing"])
async def test_an_unknown_sample_gets_a_sentence(tmp_path: Path, about: str) -> None:
    async with controller(tmp_path) as here:
        update = await here.act(VISITOR, PressedButton("sample", about))
        assert (update.state.cards, update.notice) == ((), Message("page.not_found"))


@pytest.mark.parametrize("settings", [replace(KNOBS, steps=0), replace(KNOBS, text_cfg=21.0)])
async def test_settings_out_of_range_are_refused_with_the_range(
    tmp_path: Path, settings: PageSettings
) -> None:
    async with controller(tmp_path) as here:
        await here.upload(VISITOR, a_file)
        update = await here.submit(VISITOR, submission("make it night", settings=settings))
        assert update.notice
        assert update.notice.code == "setting_range"
        assert not update.is_taken
        assert len(update.state.cards) == 1


async def test_a_turn_of_another_user_cannot_be_reached(tmp_path: Path) -> None:
    async with controller(tmp_path) as here:
        await here.upload(VISITOR, a_file)
        await here.submit(VISITOR, submission("make it night"))
        turn = (await here.current(VISITOR)).state.cards[1].turn_id
        update = await here.act(Visitor("web:bob"), PressedButton("go_to", turn))
        assert update.state.cards == ()
        assert update.notice


async def edited(here: PageController, words: str) -> Card:
    """A version made with these words, once it is done and the person stands at it."""
    await here.submit(VISITOR, submission(words))
    async with asyncio.timeout(5):
        while True:
            update = await here.current(VISITOR)
            if update.state.current is not None and update.state.current.state is CardState.DONE:
                return update.state.current
            await asyncio.sleep(0.01)


async def test_a_correction_of_the_turn_one_stands_at_counts(tmp_path: Path) -> None:
    async with parts(tmp_path, InvertingEditor()) as (store, images, workflow):
        here = controller_of(images, workflow)
        await here.upload(VISITOR, a_file)
        v1 = await edited(here, "make it darker")
        assert (await here.submit(VISITOR, submission("", " heavy rain ", v1.turn_id))).is_taken
        [v2, _] = await store.turns_by(ANN)
        assert (v2.instruction, v2.reading, v2.parent_id) == ("make it darker", "heavy rain", v1.parent)
        assert (await here.submit(VISITOR, submission("make it warmer", "light rain", v2.id))).is_taken
        [v3, *_] = await store.turns_by(ANN)
        assert (v3.instruction, v3.reading, v3.parent_id) == ("make it warmer", "light rain", v2.id)


async def test_a_correction_of_another_turn_is_left_out(tmp_path: Path) -> None:
    async with parts(tmp_path, InvertingEditor()) as (store, images, workflow):
        here = controller_of(images, workflow)
        await here.upload(VISITOR, a_file)
        v1 = await edited(here, "make it darker")
        await edited(here, "make it warmer")
        for corrects in (v1.turn_id, "", "none"):
            assert not (await here.submit(VISITOR, submission("", "heavy rain", corrects))).is_taken
            assert len(await store.turns_by(ANN)) == 2
        await here.submit(VISITOR, submission("add more contrast", "heavy rain", v1.turn_id))
        [v3, *_] = await store.turns_by(ANN)
        assert (v3.instruction, v3.reading) == ("add more contrast", None)


async def test_what_the_model_wrote_is_no_correction(tmp_path: Path) -> None:
    async with parts(tmp_path, InvertingEditor()) as (store, images, workflow):
        here = controller_of(images, workflow)
        await here.upload(VISITOR, a_file)
        v1 = await edited(here, "make it darker")
        assert not (await here.submit(VISITOR, submission("", f" {v1.expressive}\n", v1.turn_id))).is_taken
        await here.submit(VISITOR, submission("make it warmer", v1.expressive or "", v1.turn_id))
        [v2, _] = await store.turns_by(ANN)
        assert (v2.instruction, v2.reading) == ("make it warmer", None)


async def test_settings_are_kept_until_they_are_back_at_the_defaults(tmp_path: Path) -> None:
    async with controller(tmp_path) as here:
        await here.upload(VISITOR, a_file)
        moved = PageSettings(7.0, 2.0, 4, seed=13331)
        await here.submit(VISITOR, submission("make it darker", settings=moved))
        assert await here.settings(VISITOR) == moved
        await here.submit(VISITOR, submission("make it warmer"))
        assert await here.settings(VISITOR) == KNOBS


@pytest.mark.parametrize(
    ("typed", "seed"), [("", None), (" random ", None), ("0", 0), ("4294967295", 2**32 - 1)]
)
def test_seeds_are_read_as_typed(typed: str, seed: int | None) -> None:
    assert seed_of(typed) == seed


@pytest.mark.parametrize("typed", ["-1", "4294967296", "1.5", "many", "²"])
def test_other_seeds_are_refused_with_the_range(typed: str) -> None:
    with pytest.raises(SettingsRefused) as refused:
        seed_of(typed)
    assert refused.value.message == Message("page.seed_range", high="4294967295")


def test_every_sample_has_its_picture_and_words() -> None:
    for sample in read_samples().values():
        assert sample.path.is_file()
        assert sample.title
        assert sample.instructions


async def test_pictures_have_sizes_and_small_versions(tmp_path: Path) -> None:
    images = ImageStore(tmp_path)
    key = images.put(a_drawing((900, 600)))
    image_files = ImageFiles(images, PictureViews(images, ThreadPools()))
    assert image_files.size(key) == (900, 600)
    assert len(await image_files.thumb(key)) < 5000
    with pytest.raises(PictureMissing):
        image_files.size("0" * 64)
    for damage in (b"", b"no picture", bytes(100)):
        damaged = images.put(a_drawing((90, 60)))
        images.path(damaged).write_bytes(damage)
        with pytest.raises(PictureMissing):
            image_files.size(damaged)


async def test_a_grid_of_strengths_is_made_of_the_version_one_stands_at(tmp_path: Path) -> None:
    async with controller(tmp_path) as here:
        await here.upload(VISITOR, a_file)
        await here.submit(VISITOR, submission("make it night"))
        head = (await here.current(VISITOR)).state.head
        update = await here.act(VISITOR, PressedButton("grid", head or ""))
        assert update.state.cards[-1].grid
        assert update.state.head == head


async def test_what_the_page_does_not_show_is_said(tmp_path: Path) -> None:
    async with controller(tmp_path) as here:
        await here.upload(VISITOR, a_file)
        await here.submit(VISITOR, submission("make it night"))
        said = [await here.submit(VISITOR, submission(words)) for words in ("go to the latest", "show v1")]
        said.append(await here.submit(VISITOR, submission("no, not like that")))
    notices = [Message("already_at", version="v1"), Message("page.in_film", version="v1")]
    assert [update.notice for update in said] == [*notices, Message("what_instead", version="v0")]
    assert [update.is_taken for update in said] == [True] * 3
