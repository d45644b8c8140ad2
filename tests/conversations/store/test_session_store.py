"""SessionStore on real SQLite: what it saves, what it refuses, what it forgets."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from conversations.errors import (
    DuplicateEvent,
    NoSuchVersion,
    StaleAttempt,
    StoreError,
    TurnStateConflict,
)
from conversations.messages import Message
from conversations.settings import NO_OVERRIDE, SettingsOverride
from conversations.store.session_store import SessionStore
from conversations.turn import TurnDraft, TurnState
from tests.support.stored_sessions import (
    ANN,
    BOB,
    PICTURE,
    RESULT,
    ROOM,
    SOURCE,
    USED,
    Clock,
    ask,
    begin,
    finish,
)


async def test_a_session_begins_with_its_upload_as_v0(store: SessionStore) -> None:
    session = await store.open_session(
        ROOM, ANN, image=PICTURE, notes=(Message("note_first_frame"),), origin_message="m1"
    )
    assert (session.root.label, session.root.image, session.root.state) == ("v0", PICTURE, TurnState.DONE)
    assert session.head_of(ANN) == session.root
    assert await store.find_by_message("m1") == session.root
    assert session.root.delivered is None


async def test_of_two_uploads_from_one_message_a_reply_means_the_newer(store: SessionStore) -> None:
    first = await store.open_session(ROOM, ANN, image=PICTURE, origin_message="m1")
    second = await store.open_session(ROOM, BOB, image=PICTURE, origin_message="m1")
    assert await store.find_by_message("m1") == second.root
    await store.delete_user(BOB)
    assert await store.find_by_message("m1") == first.root


async def test_a_turn_comes_back_as_it_was_saved(store: SessionStore) -> None:
    session = await begin(store)
    draft = session.ask(
        ANN,
        "make the “ball” red 🎈",
        reading="The ball is red.",
        override=SettingsOverride(seed=7),
        settings=USED,
        source=SOURCE,
    )
    saved = await store.add_turn(draft)
    done = await store.set_state(
        saved.id,
        TurnState.CANCELLED,
        seconds={"reading": 0.25},
        changed=0.5,
        notes=(Message("a"), Message("b", count=2, of=Message("c"))),
        error=Message("stopped", version="v1"),
        delivered="m2",
    )
    assert (saved.override, saved.settings, saved.source) == (draft.override, USED, draft.source)
    assert (done.seconds, done.changed, done.notes, done.error) == (
        {"reading": 0.25},
        0.5,
        (Message("a"), Message("b", count=2, of=Message("c"))),
        Message("stopped", version="v1"),
    )
    assert await store.turn(saved.id) == done
    assert (await store.session(session.id)).turn(saved.id) == done


async def test_a_saved_turn_is_its_owners_head(store: SessionStore) -> None:
    session = await begin(store)
    turn = await ask(store, session, BOB)
    now = await store.session(session.id)
    assert (now.head_of(BOB), now.head_of(ANN)) == (turn, session.root)


async def test_turns_asked_at_once_get_numbers_of_their_own(store: SessionStore) -> None:
    session = await begin(store)
    drafts = [session.ask(f"p{n}", "something") for n in range(25)]
    turns = await asyncio.gather(*(store.add_turn(draft) for draft in drafts))
    assert sorted(turn.number for turn in turns) == list(range(1, 26))
    assert len({turn.id for turn in turns}) == 25


async def test_a_turn_on_a_parent_of_another_session_is_refused(store: SessionStore) -> None:
    mine, other = await begin(store), await begin(store)
    with pytest.raises(NoSuchVersion):
        await store.add_turn(TurnDraft(mine.id, other.root.id, ANN, "x"))


async def test_an_event_makes_one_turn_only(store: SessionStore) -> None:
    session = await begin(store)
    await store.add_turn(session.ask(ANN, "once"), event_id="e1")
    with pytest.raises(DuplicateEvent):
        await store.add_turn(session.ask(ANN, "twice"), event_id="e1")
    assert len((await store.session(session.id)).turns) == 2


async def test_a_refused_turn_leaves_its_event_unseen(store: SessionStore) -> None:
    session = await begin(store)
    await store.delete_user(ANN)
    with pytest.raises(NoSuchVersion):
        await store.add_turn(session.ask(ANN, "x"), event_id="e1")
    assert not await store.seen("e1")


async def test_an_event_begins_one_session_only(store: SessionStore) -> None:
    await store.open_session(ROOM, ANN, image=PICTURE, event_id="e1")
    with pytest.raises(DuplicateEvent):
        await store.open_session(ROOM, ANN, image=PICTURE, event_id="e1")
    assert len(await store.sessions_in(ROOM)) == 1


async def test_of_two_who_take_the_same_turn_one_wins(store: SessionStore) -> None:
    turn = await ask(store, await begin(store), ANN)
    steps = (store.set_state(turn.id, TurnState.RUNNING) for _ in range(2))
    outcomes = await asyncio.gather(*steps, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Turn", "TurnStateConflict"]


async def test_attempts_are_counted_and_only_the_last_one_may_end_a_turn(store: SessionStore) -> None:
    turn = await ask(store, await begin(store), ANN)
    first = await store.begin_attempt(turn.id)
    second = await store.begin_attempt(turn.id)
    assert (turn.attempt, first.attempt, second.attempt) == (0, 1, 2)
    assert second.state is TurnState.RUNNING
    with pytest.raises(StaleAttempt):
        await store.set_state(turn.id, TurnState.DELIVERING, attempt=1, image=RESULT)
    assert (await store.turn(turn.id)).image is None
    ended = await store.set_state(turn.id, TurnState.DELIVERING, attempt=2, image=RESULT)
    assert ended.image == RESULT
    with pytest.raises(TurnStateConflict):
        await store.begin_attempt(turn.id)


async def test_a_refused_step_writes_nothing(store: SessionStore) -> None:
    turn = await finish(store, await ask(store, await begin(store), ANN))
    with pytest.raises(TurnStateConflict, match=rf"turn {turn.id} is done, so it cannot become cancelled"):
        await store.set_state(turn.id, TurnState.CANCELLED, error=Message("failed"), delivered="m9")
    assert await store.turn(turn.id) == turn
    assert await store.find_by_message("m9") is None


async def test_a_step_of_an_unknown_turn_is_refused(store: SessionStore) -> None:
    with pytest.raises(NoSuchVersion):
        await store.set_state("zzzz", TurnState.RUNNING)


async def test_a_turn_is_finished_when_its_picture_is_there(store: SessionStore, clock: Clock) -> None:
    turn = await ask(store, await begin(store), ANN)
    assert (await store.set_state(turn.id, TurnState.RUNNING)).finished_at is None
    made = await store.set_state(turn.id, TurnState.DELIVERING, image=RESULT)
    clock.now += 100
    assert made.finished_at is not None
    assert (await store.set_state(turn.id, TurnState.DONE)).finished_at == made.finished_at


async def test_the_queue_is_in_order_of_asking(store: SessionStore) -> None:
    session = await begin(store)
    asked = [await ask(store, session, person) for person in (ANN, BOB, ANN)]
    await store.set_state(asked[1].id, TurnState.RUNNING)
    queue = await store.turns_in(TurnState.WAITING, TurnState.RUNNING)
    assert [turn.id for turn in queue] == [turn.id for turn in asked]


async def test_edits_are_counted_by_state_without_uploads(store: SessionStore) -> None:
    session = await begin(store)
    await finish(store, await ask(store, session, ANN))
    await ask(store, session, ANN)
    counts = await store.count_states()
    assert (counts[TurnState.DONE], counts[TurnState.WAITING], counts[TurnState.FAILED]) == (1, 1, 0)


async def test_every_message_that_showed_a_turn_leads_to_it(store: SessionStore) -> None:
    turn = await ask(store, await begin(store), ANN)
    await store.update_turn(turn.id, delivered="card")
    await store.update_turn(turn.id, delivered="result")
    found = [await store.find_by_message(key) for key in ("card", "result", "other")]
    assert [None if turn is None else turn.delivered for turn in found] == ["result", "result", None]


async def test_only_a_waiting_turn_can_be_reworded(store: SessionStore) -> None:
    turn = await ask(store, await begin(store), ANN)
    assert (await store.reword(turn.id, "better words")).instruction == "better words"
    await store.set_state(turn.id, TurnState.RUNNING)
    with pytest.raises(TurnStateConflict, match="is running, so it cannot become reworded"):
        await store.reword(turn.id, "too late")


async def test_a_given_reading_ends_with_the_words_it_was_of(store: SessionStore) -> None:
    session = await begin(store)
    turn = await store.add_turn(session.ask(ANN, "but keep the red", reading="Everything but the reds."))
    assert turn.reading
    assert (await store.reword(turn.id, "make it blue")).reading is None


async def test_a_moved_head_is_kept(store: SessionStore, clock: Clock) -> None:
    session = await begin(store)
    await finish(store, await ask(store, session, ANN))
    moved = (await store.session(session.id)).undo(ANN)
    await store.set_head(session.id, ANN, moved.heads[ANN])
    back = await store.session(session.id)
    assert back.head_of(ANN) == back.root
    assert back.redo(ANN).head_of(ANN).label == "v1"
    assert back.heads[ANN].moved_at == pytest.approx(clock.now, abs=0.1)


async def test_a_user_continues_where_they_last_moved_in_the_channel(store: SessionStore) -> None:
    mine = await begin(store, ANN)
    other = await begin(store, BOB)
    found = [await store.session_for_channel(ROOM, person) for person in (ANN, BOB, "newcomer", None)]
    assert [session and session.id for session in found] == [mine.id, other.id, other.id, other.id]
    assert await store.session_for_channel("elsewhere", ANN) is None


async def test_sessions_of_a_channel_come_newest_first(store: SessionStore) -> None:
    first, second = await begin(store), await begin(store, BOB)
    await begin(store, channel="elsewhere")
    assert [session.id for session in await store.sessions_in(ROOM)] == [second.id, first.id]


async def test_a_users_turns_come_newest_first(store: SessionStore) -> None:
    session = await begin(store)
    turns = [await ask(store, session, person) for person in (ANN, BOB, ANN)]
    assert await store.turns_by(ANN) == (turns[2], turns[0])


async def test_overrides_are_kept_by_scope_and_taken_back(store: SessionStore) -> None:
    session = await begin(store)
    await store.set_override("user", ANN, SettingsOverride(seed=0))
    await store.set_override("session", session.id, SettingsOverride(keep="off"))
    await store.set_override("channel", ANN, SettingsOverride(seed=2))
    assert await store.override("user", ANN) == SettingsOverride(seed=0)
    assert (await store.session(session.id)).override == SettingsOverride(keep="off")
    await store.set_override("user", ANN, NO_OVERRIDE)
    assert await store.override("user", ANN) == NO_OVERRIDE


async def test_an_event_is_new_once(store: SessionStore) -> None:
    assert [await store.seen("e1") for _ in range(3)] == [False, True, True]


async def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    async with SessionStore.open(tmp_path / "talk.db") as store:
        session = await begin(store)
        await ask(store, session, ANN)
        before = await store.session(session.id)
    async with SessionStore.open(tmp_path / "talk.db") as store:
        assert await store.session(session.id) == before


async def test_old_events_are_forgotten_at_opening(tmp_path: Path, clock: Clock) -> None:
    async with SessionStore.open(tmp_path / "talk.db", clock=clock) as store:
        await store.seen("old")
    clock.now += 15 * 24 * 3600
    async with SessionStore.open(tmp_path / "talk.db", clock=clock) as store:
        assert not await store.seen("old")


async def test_a_file_that_is_no_database_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "talk.db"
    path.write_bytes(b"not a database at all, but long enough to look at" * 100)
    with pytest.raises(
        StoreError, match="cannot be used as the conversation database: file is not a database"
    ):
        async with SessionStore.open(path):
            pass


async def test_a_database_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "talk.db"
    async with SessionStore.open(path):
        pass
    with closing(sqlite3.connect(path, isolation_level=None)) as newer:
        newer.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
            "VALUES ('conversations', 'm999_of_a_later_release', '2030-01-01')"
        )
    with pytest.raises(StoreError, match="written by a newer release \\(m999_of_a_later_release\\)"):
        async with SessionStore.open(path):
            pass


async def test_while_another_process_writes_too_long_nothing_is_written_and_that_is_said(
    tmp_path: Path,
) -> None:
    async with SessionStore.open(tmp_path / "talk.db", lock_timeout_s=0) as store:
        session = await begin(store)
        other = sqlite3.connect(tmp_path / "talk.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"cannot be used now: database is locked"):
            await store.add_turn(session.ask(ANN, "x"))
        other.close()
        assert (await store.add_turn(session.ask(ANN, "x"))).number == 1


async def test_cancelling_a_caller_does_not_tear_a_write(store: SessionStore) -> None:
    session = await begin(store)
    task = asyncio.ensure_future(store.add_turn(session.ask(ANN, "x")))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    now = await store.session(session.id)
    assert now.head_of(ANN).number == len(now.turns) - 1


async def test_what_is_asked_of_a_closed_store_is_cancelled(tmp_path: Path) -> None:
    async with SessionStore.open(tmp_path / "conversations.db") as store:
        pass
    late = asyncio.create_task(store.find_by_message("m1"))
    await asyncio.wait([late])
    assert late.cancelled()


async def test_an_answer_gives_its_number_back_unless_a_version_has_the_next(store: SessionStore) -> None:
    session = await begin(store)
    answers = [await ask(store, session, ANN) for _ in range(3)]
    for answer in (answers[0], answers[2]):
        await store.set_state(answer.id, TurnState.DELIVERING, is_answer=True, error=Message("declined"))
    await finish(store, await ask(store, session, ANN))
    labels = [turn.label for turn in (await store.session(session.id)).turns.values()]
    assert labels == ["v0", "v1", "v2", answers[2].id, "v3"]
