"""A database of an earlier schema, with rows, opens and has every fact where it belongs."""

from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from conversations.session import TurnState
from conversations.store.migrations import migrations
from conversations.store.session_store import SessionStore

OLDEST = "m003_sheets_and_consent"
UNKNOWN, ORIGIN, CARD, RESULT = "discord:1:10", "discord:1:11", "discord:1:12", "discord:1:13"


def a_turn(turn_id: str, session_id: str, number: int, **columns: Any) -> dict[str, Any]:
    return {
        "id": turn_id,
        "session_id": session_id,
        "number": number,
        "parent_id": None if number == 0 else "up01",
        "owner": "ann",
        "instruction": "make it red" if number else "",
        "state": "done",
        "image": "a" * 64,
        "seconds": "{}",
        "notes": "[]",
        "source": "{}",
        "created_at": float(number),
        **columns,
    }


def database_before(path: Path, step: str) -> Path:
    """A database as it was before this step: two sessions, one on somebody's message, one on the page."""
    db = Database(path)
    migrations.apply(db, stop_before=step)
    for session_id in ("s1", "s2"):
        db.table("sessions").insert({"id": session_id, "channel": "c", "owner": "ann", "created_at": 0.0})
    turns = [
        a_turn("up01", "s1", 0, delivered=ORIGIN),
        a_turn("ed01", "s1", 1, delivered=RESULT),
        a_turn("ed02", "s1", 2, state="waiting", image=None),
        a_turn("up02", "s2", 0),
    ]
    db.table("turns").insert_all(turns)
    shown = {ORIGIN: "up01", CARD: "ed01", RESULT: "ed01"}
    db.table("deliveries").insert_all({"key": key, "turn_id": turn_id} for key, turn_id in shown.items())
    db.close()
    return path


@pytest.mark.parametrize("step", [OLDEST, "m004_origin_messages"])
async def test_the_message_a_picture_came_from_is_no_longer_one_the_bot_posted(
    tmp_path: Path, step: str
) -> None:
    async with SessionStore.open(database_before(tmp_path / "talk.db", step)) as store:
        turns = {turn.id: turn for turn in await store.turns_in(*TurnState)}
        assert {turn.id: (turn.delivered, turn.origin_message) for turn in turns.values()} == {
            "up01": (None, ORIGIN),
            "ed01": (RESULT, None),
            "ed02": (None, None),
            "up02": (None, None),
        }
        found = [await store.find_by_delivered(key) for key in (ORIGIN, CARD, RESULT, UNKNOWN)]
        assert found == [turns["up01"], turns["ed01"], turns["ed01"], None]
        posted = (await store.export_user("ann"))["messages"]
        assert {row["key"] for row in posted} == {CARD, RESULT}


async def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    path = database_before(tmp_path / "talk.db", OLDEST)
    async with SessionStore.open(path) as store:
        before = await store.turns_in(*TurnState)
    async with SessionStore.open(path) as store:
        assert await store.turns_in(*TurnState) == before
