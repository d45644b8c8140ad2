"""What the desk makes of gestures, without a browser."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.chat.replies import Card, CardState
from bot.policy.limits import Limits
from bot.web_chat.controller import Desk, Knobs, Said, Visitor, seed_of
from bot.web_chat.image_responses import Shelf
from bot.web_chat.live_cards import Board
from bot.web_chat.page import build_page
from bot.web_chat.request_body import read_limited
from bot.web_chat.samples import read_samples
from bot.workflow.dispatcher import EditWorkflow
from conversations.errors import PictureMissing, SettingsRefused
from conversations.images.image_store import ImageStore
from conversations.messages import Message
from conversations.session import Turn
from tests.support.page_server import DEFAULTS, InvertingEditor, a_drawing, parts

ANN = "web:ann"
VISITOR = Visitor(ANN)
NO_COOKIE = Message("page.no_cookie")
KNOBS = Knobs(DEFAULTS.text_cfg, DEFAULTS.image_cfg, DEFAULTS.steps)


def said(instruction: str, correction: str = "", corrects: str = "", knobs: Knobs = KNOBS) -> Said:
    return Said(instruction, correction, corrects, knobs)


@asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[Desk]:
    async with parts(folder, InvertingEditor()) as (_, images, workflow):
        yield desk_of(images, workflow)


def desk_of(images: ImageStore, workflow: EditWorkflow) -> Desk:
    """A desk with a board of its own."""
    board = Board()
    workflow.connect(board)
    return Desk(workflow, board, Shelf(images), read_samples(), KNOBS)


async def test_a_glance_brings_only_what_is_new(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        await here.give(VISITOR, a_drawing())
        sight = await here.look(VISITOR)
        assert await here.glance(VISITOR, sight.mark) is None
        assert await here.glance(VISITOR, "mark of an earlier run") == sight


async def test_the_longest_instruction_is_that_of_the_limits(tmp_path: Path) -> None:
    limits = Limits(instruction_chars=450)
    async with parts(tmp_path, InvertingEditor(), limits=limits) as (_, images, workflow):
        here = desk_of(images, workflow)
        page = build_page(here, "test-model", ())
        field = next(b for b in page.blocks.values() if getattr(b, "elem_id", "") == "instruction")
        await here.give(VISITOR, a_drawing())
        sight = await here.say(VISITOR, said("make it darker ".ljust(451, "x")))
    assert field.max_length == 450
    assert sight.notice == Message("too_long", count=451, limit=450)


async def test_the_board_holds_the_latest_card_until_the_end() -> None:
    board, turn = Board(), Turn("k3f9", "s", 1, "root", ANN)
    stored = Card("k3f9", "v1", ANN, CardState.RUNNING)
    live, done = (
        replace(stored, status=Message("painting", step=3, steps=4)),
        replace(stored, state=CardState.DONE),
    )
    before = board.mark(ANN)
    assert await board.show(turn, live) == "web:k3f9"
    assert board.mark(ANN) != before
    assert board.latest(ANN, stored) == live
    assert board.latest(ANN, done) == done
    await board.show(turn, done)
    assert board.latest(ANN, stored) == stored


async def test_the_card_of_an_erased_turn_leaves_the_board() -> None:
    board, turn = Board(), Turn("k3f9", "s", 1, "root", ANN)
    stored = Card("k3f9", "v1", ANN, CardState.RUNNING)
    await board.show(turn, replace(stored, status=Message("painting", step=3, steps=4)))
    before = board.mark(ANN)
    await board.retract(turn, None)
    assert board.latest(ANN, stored) == stored
    assert board.mark(ANN) != before


async def test_without_a_cookie_nothing_is_taken(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        assert await here.give(Visitor(None), a_drawing()) == NO_COOKIE
        assert (await here.say(Visitor(None), said("make it night"))).notice == NO_COOKIE
        assert (await here.act(Visitor(None), {"act": "undo"})).notice == NO_COOKIE


async def test_a_preview_stays_in_sight_until_the_next_one() -> None:
    board, turn = Board(), Turn("k3f9", "s", 1, "root", ANN)
    stored = Card("k3f9", "v1", ANN, CardState.RUNNING)
    for preview, seen in ((b"soft", b"soft"), (None, b"soft"), (b"sharper", b"sharper"), (None, b"sharper")):
        await board.show(turn, replace(stored, preview=preview))
        assert board.latest(ANN, stored).preview == seen


@pytest.mark.parametrize(
    "gesture", [{}, {"act": "fly"}, {"act": "cancel"}, {"act": "sample", "sample": "../x"}, {"act": ["undo"]}]
)
async def test_unknown_gestures_only_look(tmp_path: Path, gesture: dict[str, Any]) -> None:
    async with desk(tmp_path) as here:
        sight = await here.act(VISITOR, gesture)
        assert (sight.view.cards, sight.notice) == ((), None)


async def test_a_turn_of_somebody_else_cannot_be_reached(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        await here.give(VISITOR, a_drawing())
        await here.say(VISITOR, said("make it night"))
        turn = (await here.look(VISITOR)).view.cards[1].turn_id
        sight = await here.act(Visitor("web:bob"), {"act": "go_to", "turn": turn})
        assert sight.view.cards == ()
        assert sight.notice


async def edited(here: Desk, words: str) -> Card:
    """A version made with these words, once it is done and the person stands at it."""
    await here.say(VISITOR, said(words))
    async with asyncio.timeout(5):
        while True:
            sight = await here.look(VISITOR)
            if sight.view.current is not None and sight.view.current.state is CardState.DONE:
                return sight.view.current
            await asyncio.sleep(0.01)


async def test_a_correction_of_the_turn_one_stands_at_counts(tmp_path: Path) -> None:
    async with parts(tmp_path, InvertingEditor()) as (store, images, workflow):
        here = desk_of(images, workflow)
        await here.give(VISITOR, a_drawing())
        v1 = await edited(here, "one")
        assert (await here.say(VISITOR, said("", " heavy rain ", v1.turn_id))).taken
        [v2, _] = await store.turns_by(ANN)
        assert (v2.instruction, v2.reading, v2.parent_id) == ("one", "heavy rain", v1.parent)
        assert (await here.say(VISITOR, said("two", "light rain", v2.id))).taken
        [v3, *_] = await store.turns_by(ANN)
        assert (v3.instruction, v3.reading, v3.parent_id) == ("two", "light rain", v2.id)


async def test_a_correction_of_another_turn_is_left_out(tmp_path: Path) -> None:
    async with parts(tmp_path, InvertingEditor()) as (store, images, workflow):
        here = desk_of(images, workflow)
        await here.give(VISITOR, a_drawing())
        v1 = await edited(here, "one")
        await edited(here, "two")
        for corrects in (v1.turn_id, "", "none"):
            assert not (await here.say(VISITOR, said("", "heavy rain", corrects))).taken
            assert len(await store.turns_by(ANN)) == 2
        await here.say(VISITOR, said("three", "heavy rain", v1.turn_id))
        [v3, *_] = await store.turns_by(ANN)
        assert (v3.instruction, v3.reading) == ("three", None)


async def test_what_the_model_wrote_is_no_correction(tmp_path: Path) -> None:
    async with parts(tmp_path, InvertingEditor()) as (store, images, workflow):
        here = desk_of(images, workflow)
        await here.give(VISITOR, a_drawing())
        v1 = await edited(here, "one")
        assert not (await here.say(VISITOR, said("", f" {v1.expressive}\n", v1.turn_id))).taken
        await here.say(VISITOR, said("two", v1.expressive or "", v1.turn_id))
        [v2, _] = await store.turns_by(ANN)
        assert (v2.instruction, v2.reading) == ("two", None)


async def test_knobs_are_kept_until_they_are_back_at_the_defaults(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        await here.give(VISITOR, a_drawing())
        moved = Knobs(7.0, 2.0, 4, seed=13331)
        await here.say(VISITOR, said("one", knobs=moved))
        assert await here.knobs(VISITOR) == moved
        await here.say(VISITOR, said("two"))
        assert await here.knobs(VISITOR) == KNOBS


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


def test_the_shelf_knows_sizes_and_small_versions(tmp_path: Path) -> None:
    images = ImageStore(tmp_path)
    key = images.put(a_drawing((900, 600)))
    shelf = Shelf(images)
    assert shelf.size(key) == (900, 600)
    assert len(shelf.thumb(key)) < 5000
    with pytest.raises(PictureMissing):
        shelf.size("0" * 64)


@pytest.mark.parametrize(("sizes", "kept"), [([3, 3], b"x" * 6), ([], b""), ([4, 7], None), ([11], None)])
async def test_uploads_are_read_up_to_the_limit(sizes: list[int], kept: bytes | None) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for size in sizes:
            yield b"x" * size

    assert await read_limited(chunks(), 10) == (sum(sizes), kept)


async def test_an_endless_upload_is_cut_off() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 10

    assert await read_limited(chunks(), 10) == (510, None)


async def test_a_sheet_of_strengths_is_made_of_the_version_one_stands_at(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        await here.give(VISITOR, a_drawing())
        await here.say(VISITOR, said("make it night"))
        head = (await here.look(VISITOR)).view.head
        sight = await here.act(VISITOR, {"act": "grid", "turn": head})
        assert sight.view.cards[-1].is_grid
        assert sight.view.head == head
