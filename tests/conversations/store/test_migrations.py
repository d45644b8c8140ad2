"""A database written by an earlier release opens, and every fact is where it belongs.

The fixture `store_m003.sql` is a dump of a database that the release with the schema m003 wrote: turns in
every state, settings, reports, consents, languages, blocked users and an audit log.
"""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlite_utils import Database

from conversations.messages import Message, verbatim
from conversations.request_source import RequestSource
from conversations.servers import DEFAULT_SERVER_SETTINGS, AuditEntry, ServerSettings
from conversations.settings import EditSettings, Grid, SettingsOverride
from conversations.store.migrations import migrations
from conversations.store.session_store import SessionStore
from conversations.store.user_data import Consent
from conversations.turn import Turn, TurnState

DUMP = Path(__file__).parents[1] / "data" / "store_m003.sql"
OPENED_AT = 1_790_000_100.0  # Unix seconds, a minute after the last row was written
MIB = 2**20
USED = EditSettings(text_cfg=7.5, image_cfg=1.5, steps=50, seed=1371, sampler="dpmpp_2m", keep="strict")


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


async def test_the_message_an_image_came_from_is_not_one_the_bot_posted(store: SessionStore) -> None:
    turns = await turns_of(store)
    assert {turn.id: turn.origin_message for turn in turns.values() if turn.origin_message} == {
        "up01": "discord:501:9001",
        "up04": "discord:502:9040",
    }
    assert turns["up01"].delivered is None
    found = [await store.find_by_message(key) for key in ("discord:501:9001", "discord:501:9010", "x")]
    assert found == [turns["up01"], turns["done"], None]


async def test_every_message_the_bot_posted_is_a_row(store: SessionStore) -> None:
    messages = {turn_id: await store.messages.of_turn(turn_id) for turn_id in await turns_of(store)}
    assert {turn_id: keys for turn_id, keys in messages.items() if keys} == {
        "done": ("discord:501:9011",),  # its card, 9010, was deleted when the result came
        "wait": ("discord:501:9020",),
        "runn": ("discord:501:9021",),
        "deld": ("discord:501:9022",),
        "fail": ("discord:501:9023",),
        "canc": ("discord:501:9024",),
        "grid": ("discord:501:9025",),
        "web1": ("web:web1",),
        "visi": ("discord:601:9030",),
    }


async def test_sentences_of_notes_and_errors_survive(store: SessionStore) -> None:
    turns = await turns_of(store)
    assert turns["up01"].notes == (verbatim("This is an animation; I used the first frame."),)
    assert {turn.id: turn.error for turn in turns.values() if turn.error} == {
        "delf": verbatim("The edit failed; please try again."),
        "fail": Message("result_filtered", hash="0123456789abcdef"),  # an appeal needs the hash
    }


async def test_everything_else_about_a_turn_survives(store: SessionStore) -> None:
    turns = await turns_of(store)
    assert turns["done"] == Turn(
        id="done",
        session_id="ses001",
        number=1,
        parent_id="up01",
        user="discord:1001",
        instruction="make it darker",
        expressive="The picture is darker.",
        reading="The picture is darker.",
        state=TurnState.DONE,
        override=SettingsOverride(text_cfg="auto", steps=20),
        settings=USED,
        image="1" * 64,
        seconds={"reading": 1.5, "painting": 4.25},
        changed=0.375,
        notes=(verbatim("Nothing had to be put back."),),
        source=THREAD,
        delivered="discord:501:9011",
        created_at=1_790_000_003.0,
        finished_at=1_790_000_005.0,
        event_id="discord:m:done",
        is_hidden=True,
        auto_scales=("text_cfg",),
    )
    assert turns["wait"].is_reworded
    assert turns["grid"].grid == Grid((5.5, 7.5), (1.1, 1.5))


async def test_sessions_heads_and_overrides_survive(store: SessionStore) -> None:
    session = await store.session("ses001")
    assert {user: (head.turn_id, head.redo) for user, head in session.heads.items()} == {
        "discord:1001": ("up01", ("done",)),
        "discord:1002": ("runn", ()),
    }
    assert session.override == SettingsOverride(keep="off")
    assert await store.override("user", "discord:1001") == SettingsOverride(image_cfg="auto", steps=30)
    assert await store.override("channel", "discord:501") == SettingsOverride(seed=7)
    assert [(await store.session(key)).is_locked for key in ("ses001", "ses004")] == [False, True]
    assert [await store.was_seen(event) for event in ("discord:m:done", "answered discord:m:done")] == [
        True
    ] * 2


async def test_consents_survive(store: SessionStore) -> None:
    anna, ben, cid = "discord:1001", "discord:1002", "discord:1003"
    assert await store.consent(anna, ben) is Consent.ALWAYS
    assert await store.consent(anna, cid) is Consent.NEVER
    assert await store.consent(ben, anna) is Consent.NEVER
    assert await store.consent(ben, cid) is None


async def test_server_settings_and_the_audit_log_are_rows(store: SessionStore) -> None:
    assert await store.servers.settings("discord:77") == ServerSettings(
        blocked=("discord:1009", "discord:1008"),
        closed=("discord:510",),
        hidden=("discord:501", "discord:512"),
        listening=("discord:511",),
        waiting=2,
        per_day=20,
        own_only=True,
        reports="discord:520",
        blocked_images=("0123456789abcdef", "fedcba9876543210"),
        language="de",
    )
    assert await store.servers.settings("discord:78") == ServerSettings(is_paused=True)
    assert await store.servers.settings("discord:79") == DEFAULT_SERVER_SETTINGS
    log = await store.servers.audit_log("discord:77")
    assert (len(log), [entry.rule for entry in log[:3]]) == (10, ["own_only", "bar", "block"])
    assert log[2] == AuditEntry(1_790_000_046.0, "discord:1002", "block", "discord:1009", server="discord:77")
    assert await store.servers.audit_log("discord:78") == (
        AuditEntry(1_790_000_049.0, "discord:1003", "pause", server="discord:78"),
    )


async def test_reports_and_appeals_are_not_taken_twice(store: SessionStore) -> None:
    anna, ben, cid = "discord:1001", "discord:1002", "discord:1003"
    assert not await store.servers.add_report("discord:77", ben, "done", "again")
    assert not await store.servers.add_report("discord:77", cid, "done", "also bad")
    assert [report["text"] for report in (await store.export_user(cid))["reports"]] == ["also bad"]
    assert not await store.servers.add_appeal("discord:77", anna, "0123456789abcdef", "again")
    assert await store.servers.add_appeal("discord:77", ben, "0123456789abcdef", "me too")
    [report] = (await store.export_user(ben))["reports"]
    assert (report["turn_id"], report["server"], report["at"]) == ("done", "discord:77", 1_790_000_050.0)


async def test_languages_hints_and_reading_positions_are_rows(store: SessionStore) -> None:
    users = ("discord:1001", "discord:1002", "discord:1003")
    assert [await store.users.language(user) for user in users] == ["de", "es", None]
    hints = [await store.users.note_hint(user, "2026-09-20") for user in users]
    assert hints == [True, False, True]
    assert await store.users.head_cleared_at("discord:1002", "discord:501") == 1_790_000_054.0
    assert await store.chats.newest_message("discord") == 1287654321098765432
    assert await store.chats.direct_channels("discord") == ("discord:701", "discord:702")


async def test_opening_again_changes_nothing(old_database: Path) -> None:
    async with SessionStore.open(old_database, clock=lambda: OPENED_AT) as store:
        before = await store.turns_in(*TurnState)
    async with SessionStore.open(old_database, clock=lambda: OPENED_AT) as store:
        assert await store.turns_in(*TurnState) == before


async def test_a_database_of_the_oldest_schema_opens(tmp_path: Path) -> None:
    path = tmp_path / "talk.db"
    db = Database(path)
    migrations.apply(db, stop_before="m002_messages_and_wishes")
    db.table("sessions").insert({"id": "s1", "channel": "c", "owner": "chat:ann", "created_at": 1.0})
    turn = {"session_id": "s1", "owner": "chat:ann", "seconds": "{}", "notes": "[]", "created_at": 1.0}
    upload = {**turn, "id": "up", "number": 0, "instruction": "", "state": "done", "delivered": "chat:c:1"}
    edit = {**turn, "id": "ed", "number": 1, "instruction": "red", "state": "waiting", "parent_id": "up"}
    db.table("turns").insert_all([{**upload, "source": '{"guild":7}'}, {**edit, "source": '{"hidden":true}'}])
    db.table("heads").insert(
        {"session_id": "s1", "person": "chat:ann", "turn_id": "ed", "redo": "[]", "moved_at": 1.0}
    )
    db.close()
    async with SessionStore.open(path) as store:
        session = await store.session("s1")
        assert session.head_of("chat:ann").id == "ed"
        assert (session.root.source.server, session.root.origin_message) == ("chat:7", "chat:c:1")
        assert session.turn("ed").is_hidden


async def test_edits_whose_painting_was_left_out_are_exact(tmp_path: Path) -> None:
    path, seconds = tmp_path / "talk.db", ('{"painting":0.0}', '{"painting":1.5}', "{}", "", None)
    db = Database(path)
    migrations.apply(db, stop_before="m034_exact_adjustments")
    db.table("sessions").insert({"id": "s1", "channel": "c", "owner": "chat:ann", "created_at": 1.0})
    turn = {"session_id": "s1", "user": "chat:ann", "instruction": "", "state": "done", "created_at": 1.0}
    rows = [turn | {"id": f"t{n}", "number": n, "seconds": text} for n, text in enumerate(seconds)]
    db.table("turns").insert_all(rows)
    migrations.apply(db)
    found = [row["is_exact"] for row in db.query("SELECT is_exact FROM turns ORDER BY number")]
    db.close()
    assert found == [1, 0, 0, 0, 0]
