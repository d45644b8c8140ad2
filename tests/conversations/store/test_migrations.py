"""A database written by an earlier release opens, and every fact is where it belongs.

The fixture `store_m003.sql` is a dump of a database that the release with the schema m003 wrote: turns in
every state, settings, reports, consents, languages, blocked users and an audit log.
"""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from conversations.request_source import RequestSource
from conversations.session import Turn, TurnState
from conversations.store.session_store import SessionStore

DUMP = Path(__file__).parents[1] / "data" / "store_m003.sql"
OPENED_AT = 1_790_000_100.0  # Unix seconds, a minute after the last row was written
MIB = 2**20


@pytest.fixture
def old_database(tmp_path: Path) -> Path:
    path = tmp_path / "talk.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(DUMP.read_text("utf-8"))
    connection.close()
    return path


@pytest.fixture
async def store(old_database: Path) -> AsyncIterator[SessionStore]:
    async with SessionStore.open(old_database, clock=lambda: OPENED_AT) as store:
        yield store


async def turns_of(store: SessionStore) -> dict[str, Turn]:
    return {turn.id: turn for turn in await store.turns_in(*TurnState)}


THREAD = RequestSource(
    language="de",
    server="discord:77",
    channel="discord:501",
    parent_channel="discord:500",
    message="discord:501:9001",
    file_limit=10 * MIB,
)
VISIT = RequestSource(
    channel="discord:601", file_limit=10 * MIB, token="aW50ZXJhY3Rpb24", token_expires_at=1_790_000_934.0
)


async def test_turns_of_every_state_keep_where_they_came_from(store: SessionStore) -> None:
    turns = await turns_of(store)
    assert {turn.state for turn in turns.values()} == set(TurnState)
    for turn_id in ("up01", "done", "wait", "deld", "delf", "fail", "canc", "grid"):
        assert turns[turn_id].source == THREAD, turn_id
    assert turns["runn"].source == RequestSource(
        server="discord:77", channel="discord:501", parent_channel="discord:500", file_limit=25 * MIB
    )
    assert turns["web1"].source == RequestSource(language="es")
    assert turns["visi"].source == VISIT
    assert turns["up04"].source.server == "discord:78"


async def test_facts_of_turns_are_fields(store: SessionStore) -> None:
    turns = await turns_of(store)
    assert {turn.id for turn in turns.values() if not turn.is_hidden} == {
        *("up02", "web1", "up03", "visi", "up04")
    }
    assert {turn.id: turn.lent_by for turn in turns.values() if turn.lent_by} == {"up01": "discord:1009"}
    assert {turn.id: turn.auto_scales for turn in turns.values() if turn.auto_scales} == {
        "done": ("text_cfg",)
    }
    assert turns["wait"].event_id == "discord:m:wait"
    assert turns["web1"].event_id == "web:e:77"
    assert turns["up01"].event_id is None


async def test_an_expired_token_is_erased_and_its_answers_stay_private(old_database: Path) -> None:
    expires_at = VISIT.token_expires_at or 0.0
    async with SessionStore.open(old_database, clock=lambda: expires_at + 1) as store:
        source = (await store.turn("visi")).source
    assert (source.token, source.is_private) == (None, True)
