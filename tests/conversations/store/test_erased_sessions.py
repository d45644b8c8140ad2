"""What a store exports of a user, what deleting one takes along, and what is left in the file."""

import json
import sqlite3
from collections.abc import Coroutine
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from conversations.errors import NoSuchVersion, UserErased
from conversations.messages import Message
from conversations.session import Head
from conversations.settings import SettingsOverride
from conversations.store import user_data
from conversations.store.consent_questions import ConsentQuestion
from conversations.store.session_store import SessionStore
from conversations.store.user_data import Consent
from tests.support.stored_sessions import ANN, BOB, PICTURE, RESULT, ROOM, ask, begin, finish


def bytes_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_an_export_holds_all_that_is_kept_of_a_user(store: SessionStore) -> None:
    session = await begin(store)
    turn = await ask(store, session, ANN)
    await store.update_turn(turn.id, delivered="m1")
    await store.set_override("user", ANN, SettingsOverride(seed=3))
    await ask(store, session, BOB)
    export = json.loads(json.dumps(await store.export_user(ANN)))
    assert [row["instruction"] for row in export["turns"]] == ["", "ann asks"]
    assert (export["overrides"], export["messages"]) == (
        [{"override": '{"seed":3}'}],
        [{"message": "m1", "turn_id": turn.id}],
    )
    text = json.dumps(export)  # random ids in it may happen to contain "bob"
    assert '"bob"' not in text
    assert "bob asks" not in text


async def test_deleting_a_user_takes_their_sessions_whole(store: SessionStore) -> None:
    session = await begin(store)
    theirs = await finish(store, await ask(store, session, BOB))
    forgotten = await store.delete_user(ANN)
    assert set(forgotten.images) == {PICTURE, RESULT}
    assert theirs in forgotten.turns
    with pytest.raises(NoSuchVersion):
        await store.session(session.id)


async def test_deleting_a_user_keeps_what_others_made_in_their_own_sessions(store: SessionStore) -> None:
    session = await begin(store, BOB)
    first = await finish(store, await ask(store, session, ANN), image="1" * 64)
    second = await finish(store, await ask(store, session, ANN), image="2" * 64)
    third = await finish(store, await ask(store, session, BOB, parent=second.id), image="3" * 64)
    forgotten = await store.delete_user(ANN)
    left = await store.session(session.id)
    assert [turn.label for turn in left.path_to(left.turn(third.id))] == ["v0", "v3"]
    assert ({turn.id for turn in forgotten.turns}, set(forgotten.images)) == (
        {first.id, second.id},
        {"1" * 64, "2" * 64},
    )


async def test_heads_on_erased_turns_move_up(store: SessionStore) -> None:
    session = await begin(store, BOB)
    turn = await finish(store, await ask(store, session, ANN))
    now = await store.session(session.id)
    await store.set_head(session.id, BOB, now.go_to(BOB, turn).heads[BOB])
    await store.delete_user(ANN)
    left = await store.session(session.id)
    assert left.head_of(BOB) == left.root
    assert not left.has_head(ANN)


async def test_a_picture_another_user_still_uses_is_not_given_up(store: SessionStore) -> None:
    await begin(store, ANN)
    await begin(store, BOB)
    assert (await store.delete_user(ANN)).images == ()
    assert await store.images_in_use() == {PICTURE}


async def test_erased_words_are_gone_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "talk.db"
    async with SessionStore.open(path) as store:
        session = await begin(store)
        await store.add_turn(session.ask(ANN, "a very private instruction"))
        await store.delete_user(ANN)
        kept = bytes_of(tmp_path)
    assert b"very private" not in kept


async def test_erased_words_are_gone_also_where_rows_were_moved_between_pages(tmp_path: Path) -> None:
    """SQLite leaves copies in the free space of a page when it moves rows to another."""
    path = tmp_path / "talk.db"
    async with SessionStore.open(path) as store:
        sessions = [await begin(store, user) for user in (ANN, BOB)]
        turns = [
            await store.add_turn(session.ask(session.owner, f"a very private instruction of {session.owner}"))
            for _ in range(40)
            for session in sessions
        ]
        Random(1).shuffle(turns)
        for number, turn in enumerate(turns):  # rows that grow in any order move others
            notes = (Message("note_first_frame"),) * (number % 17)
            await store.update_turn(turn.id, notes=notes, delivered=f"discord:{number}")
        await store.delete_user(ANN)
        kept = bytes_of(tmp_path)
    assert f"instruction of {ANN}".encode() not in kept
    assert f"instruction of {BOB}".encode() in kept


async def test_what_a_kill_left_to_overwrite_is_overwritten_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "talk.db"
    monkeypatch.setattr(user_data, "overwrite_erased", lambda db: None)
    async with SessionStore.open(path) as store:
        session = await begin(store)
        await store.add_turn(session.ask(ANN, "a very private instruction"))
        await store.delete_user(ANN)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
    async with SessionStore.open(path):
        pass
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (0,)
    assert b"very private" not in bytes_of(tmp_path)


async def test_nothing_that_was_asked_before_an_erasure_is_stored_after_it(store: SessionStore) -> None:
    theirs = await begin(store, BOB)
    await store.delete_user(ANN, 100.0)
    early: dict[str, Any] = {"asked_at": 99.0}
    head = Head(theirs.root.id)
    question = ConsentQuestion("q", BOB, ANN, "e", "words", "work", 99.0)
    writes: list[Coroutine[Any, Any, object]] = [
        store.open_session(ROOM, ANN, image=PICTURE, **early),
        store.open_session(ROOM, BOB, image=PICTURE, lent_by=ANN, **early),
        store.add_turn(theirs.ask(ANN, "words"), **early),
        store.set_head(theirs.id, ANN, head, **early),
        store.consent_questions.ask(question, **early),
        store.consent_questions.ask(replace(question, asker=ANN, owner=BOB), **early),
        store.users.ask_picture(ANN, ROOM, "words", **early),
        store.set_consent(BOB, ANN, Consent.ALWAYS, **early),
    ]
    for write in writes:
        with pytest.raises(UserErased) as refusal:
            await write
        assert refusal.value.user == ANN
    assert not await store.messages.record_of_user("discord:1:2", ANN, 99.0)
    assert await store.messages.to_delete("discord") == ("discord:1:2",)
    kept = await store.export_user(ANN)
    assert not any(rows for name, rows in kept.items() if name != "user")
    await store.open_session(ROOM, ANN, image=PICTURE, asked_at=101.0)  # a new beginning
