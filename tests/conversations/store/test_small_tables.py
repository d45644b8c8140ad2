"""Languages, hints, cleared heads, reading positions, reports and appeals."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from conversations.store.session_store import SessionStore

ANN, BOB, ROOM, SERVER = "chat:1", "chat:2", "chat:501", "chat:77"
HASH = "0123456789abcdef"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SessionStore]:
    async with SessionStore.open(tmp_path / "talk.db", clock=lambda: 1_000.0) as store:
        yield store


async def test_a_language_is_kept_until_the_next_one(store: SessionStore) -> None:
    assert await store.users.language(ANN) is None
    await store.users.note_hint(ANN, "2026-09-20")
    await store.users.set_language(ANN, "de")
    await store.users.set_language(ANN, "es")
    assert (await store.users.language(ANN), await store.users.language(BOB)) == ("es", None)


async def test_a_user_gets_one_hint_per_day(store: SessionStore) -> None:
    await store.users.set_language(ANN, "de")
    days = ["2026-09-20", "2026-09-20", "2026-09-21", "2026-09-21"]
    assert [await store.users.note_hint(ANN, day) for day in days] == [True, False, True, False]
    assert await store.users.note_hint(BOB, "2026-09-21")
    assert await store.users.language(ANN) == "de"


async def test_a_head_is_cleared_per_channel(store: SessionStore) -> None:
    await store.users.clear_head(ANN, ROOM)
    assert await store.users.head_cleared_at(ANN, ROOM) == 1_000.0
    assert await store.users.head_cleared_at(ANN, "chat:502") is None
    assert await store.users.head_cleared_at(BOB, ROOM) is None


async def test_the_reading_position_is_kept_per_chat(store: SessionStore) -> None:
    assert await store.chats.newest_message("chat") is None
    await store.chats.set_newest_message("chat", 2**62)
    assert (await store.chats.newest_message("chat"), await store.chats.newest_message("web")) == (
        2**62,
        None,
    )


async def test_the_most_recent_direct_channels_are_kept(store: SessionStore) -> None:
    for channel in ("a", "b", "a", "c", "d", "c"):
        await store.chats.add_direct_channel("chat", channel, keep=3)
    assert await store.chats.direct_channels("chat") == ("a", "d", "c")


async def test_only_the_first_report_of_a_turn_is_new(store: SessionStore) -> None:
    turn = (await store.open_session(ROOM, ANN, image="0" * 64)).root
    reports = [await store.servers.add_report(SERVER, user, turn.id, "bad") for user in (BOB, BOB, ANN)]
    assert reports == [True, False, False]
    assert [len((await store.export_user(user))["reports"]) for user in (BOB, ANN)] == [1, 1]
    appeals = [await store.servers.add_appeal(SERVER, user, HASH, "why") for user in (ANN, ANN, BOB)]
    assert appeals == [True, False, True]


async def test_all_of_a_user_is_exported_and_erased(store: SessionStore) -> None:
    bobs = (await store.open_session(ROOM, BOB, image="0" * 64)).root
    anns = (await store.open_session(ROOM, ANN, image="1" * 64)).root
    await store.users.set_language(ANN, "de")
    await store.users.clear_head(ANN, ROOM)
    await store.servers.add_report(SERVER, ANN, bobs.id, "bad")
    await store.servers.add_report(SERVER, BOB, anns.id, "worse")
    await store.servers.add_appeal(SERVER, ANN, HASH, "why")
    tables = ("users", "cleared_heads", "reports", "appeals")
    export = await store.export_user(ANN)
    assert [len(export[table]) for table in tables] == [1, 1, 1, 1]
    await store.delete_user(ANN)
    for user in (ANN, BOB):  # what Bob reported is erased with Ann's turn
        left = await store.export_user(user)
        assert [left[table] for table in tables] == [[], [], [], []]


async def test_a_message_can_show_several_turns_and_a_turn_can_be_in_several_messages(
    store: SessionStore,
) -> None:
    first, second = [(await store.open_session(ROOM, user, image="0" * 64)).root for user in (ANN, BOB)]
    assert await store.messages.record("copy", [first.id])
    assert await store.messages.record("history", [first.id, second.id])
    assert await store.messages.of_turn(first.id) == ("copy", "history")
    found = [await store.find_by_message(message) for message in ("copy", "history", "other")]
    assert found == [first, None, None]  # a reply to a message with several turns names none of them


async def test_a_deleted_message_is_not_deleted_again_but_still_found(store: SessionStore) -> None:
    turn = (await store.open_session(ROOM, ANN, image="0" * 64)).root
    await store.update_turn(turn.id, delivered="card")
    await store.update_turn(turn.id, delivered="result")
    await store.messages.mark_deleted("card")
    assert await store.messages.of_turn(turn.id) == ("result",)
    found = await store.find_by_message("card")
    assert found is not None
    assert (await store.delete_user(ANN)).messages == ("result",)


async def test_a_message_of_an_erased_turn_is_refused(store: SessionStore) -> None:
    turn = (await store.open_session(ROOM, ANN, image="0" * 64)).root
    assert not await store.messages.record("history", [turn.id, "gone"])
    assert await store.messages.of_turn(turn.id) == ("history",)
