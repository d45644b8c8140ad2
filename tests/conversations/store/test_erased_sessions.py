"""What a store exports of a user, what deleting one takes along, and what is left in the file."""

import json
from pathlib import Path

import pytest

from conversations.errors import NoSuchVersion
from conversations.settings import SettingsOverride
from conversations.store.session_store import SessionStore
from tests.support.stored_sessions import ANN, BOB, PICTURE, RESULT, ask, begin, finish


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
