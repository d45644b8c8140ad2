"""Who may edit whose pictures, which sessions are closed, sheets, and what is old enough to go."""

from dataclasses import replace
from pathlib import Path

import pytest

from conversations.errors import VersionHasNoPicture
from conversations.session import EditSession
from conversations.settings import Grid
from conversations.store.session_store import SessionStore
from conversations.store.user_data import Consent
from conversations.turn import TurnDraft, TurnState

ANN, BOB, CID, ROOM = "ann", "bob", "cid", "room"
PICTURE, RESULT = "a" * 64, "b" * 64


class Clock:
    """Time that only the test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(tmp_path: Path, clock: Clock):
    async with SessionStore.open(tmp_path / "talk.db", clock=clock) as store:
        yield store


async def a_session(store: SessionStore, image: str = PICTURE) -> EditSession:
    return await store.open_session(ROOM, ANN, image=image)


async def test_nobody_has_said_anything_at_first(store: SessionStore) -> None:
    assert await store.consent(ANN, BOB) is None


async def test_an_answer_about_one_user_beats_the_one_about_everybody(store: SessionStore) -> None:
    await store.set_consent(ANN, None, Consent.NEVER)
    await store.set_consent(ANN, BOB, Consent.ALWAYS)
    assert await store.consent(ANN, BOB) is Consent.ALWAYS
    assert await store.consent(ANN, CID) is Consent.NEVER


async def test_an_answer_can_be_taken_back(store: SessionStore) -> None:
    await store.set_consent(ANN, BOB, Consent.NEVER)
    await store.set_consent(ANN, BOB, None)
    assert await store.consent(ANN, BOB) is None


async def test_forgetting_a_user_forgets_what_they_allowed_and_were_allowed(store: SessionStore) -> None:
    await store.set_consent(ANN, BOB, Consent.ALWAYS)
    await store.set_consent(BOB, ANN, Consent.ALWAYS)
    await store.users.clear_head(ANN, ROOM)
    await store.delete_user(ANN)
    assert (await store.consent(ANN, BOB), await store.consent(BOB, ANN)) == (None, None)
    assert await store.users.head_cleared_at(ANN, ROOM) is None


async def test_a_session_can_be_locked_and_opened(store: SessionStore) -> None:
    session = await a_session(store)
    await store.lock(session.id, True)
    assert (await store.session(session.id)).is_locked
    await store.lock(session.id, False)
    assert not (await store.session(session.id)).is_locked


async def test_a_grid_moves_nobody_and_nothing_starts_from_it(store: SessionStore) -> None:
    session = await a_session(store)
    grid = Grid((6.0, 7.5), (1.5,))
    turn = await store.add_turn(TurnDraft(session.id, session.root.id, ANN, "make it red", grid=grid))
    session = await store.session(session.id)
    assert session.turn(turn.id).grid == grid
    assert session.head_of(ANN).is_upload
    assert session.add(turn).head_of(ANN).is_upload
    with pytest.raises(VersionHasNoPicture, match="the nearest version that has one is v0"):
        session.go_to(ANN, turn)


async def test_a_deleted_turn_leaves_its_children_to_its_parent(store: SessionStore) -> None:
    session = await a_session(store)
    first = await store.add_turn(session.ask(ANN, "make it red"))
    second = await store.add_turn((await store.session(session.id)).ask(ANN, "now blue"))
    await store.delete_turn(first.id)
    after = await store.session(session.id)
    assert list(after.turns) == [session.root.id, second.id]
    assert after.turn(second.id).parent_id == session.root.id


async def test_a_deleted_version_leaves_its_variations_and_heads_to_what_it_varied(
    store: SessionStore,
) -> None:
    session = await a_session(store)
    first = await store.add_turn(session.ask(ANN, "make it red"))
    varied = [first]
    for _ in range(3):
        draft = session.ask(ANN, "make it red", parent=session.root.id)
        varied.append(await store.add_turn(replace(draft, varied_id=varied[-1].id)))
    await store.delete_turn(varied[1].id)
    assert (await store.turn(varied[2].id)).varied_id == first.id
    await store.delete_turn(varied[3].id)
    after = await store.session(session.id)
    assert after.head_of(ANN).id == varied[2].id
    await store.delete_turn(first.id)
    assert (await store.turn(varied[2].id)).varied_id is None
    assert (await store.session(session.id)).undo(ANN).head_of(ANN).is_upload


async def test_an_upload_is_not_deleted_alone(store: SessionStore) -> None:
    session = await a_session(store)
    await store.delete_turn(session.root.id)
    assert (await store.session(session.id)).root == session.root


async def test_pictures_of_sessions_nobody_touched_are_old(store: SessionStore, clock: Clock) -> None:
    old = await a_session(store)
    clock.now += 100
    await a_session(store, RESULT)
    assert await store.images_untouched_since(1050) == {PICTURE}
    turn = await store.add_turn(old.ask(ANN, "make it red"))
    assert await store.images_untouched_since(1050) == frozenset()
    clock.now += 100
    assert await store.images_untouched_since(1150) == {RESULT}, "the other session waits for an edit"
    await store.set_state(turn.id, TurnState.CANCELLED)
    assert await store.images_untouched_since(1150) == {PICTURE, RESULT}


async def test_a_picture_of_two_sessions_is_as_young_as_the_younger(
    store: SessionStore, clock: Clock
) -> None:
    await a_session(store)
    clock.now += 100
    await a_session(store)
    assert await store.images_untouched_since(1050) == frozenset()
    assert await store.is_shared(PICTURE)


async def test_a_reworded_turn_says_so(store: SessionStore) -> None:
    session = await a_session(store)
    turn = await store.add_turn(session.ask(ANN, "make it red"))
    assert not turn.is_reworded
    assert (await store.reword(turn.id, "make it blue")).is_reworded
