"""Settings and audit logs of servers on disk."""

from dataclasses import replace
from pathlib import Path

from conversations.servers import DEFAULT_SERVER_SETTINGS, AuditEntry
from conversations.store.server_tables import AUDIT_ENTRIES_KEPT
from conversations.store.session_store import SessionStore

SERVER, ANN, PLACE = "paper:1", "paper:ann", "paper:c1"


async def test_the_audit_log_keeps_the_newest_entries_of_each_server(tmp_path: Path) -> None:
    async with SessionStore.open(tmp_path / "conversations.db") as store:
        for number in range(AUDIT_ENTRIES_KEPT + 1):
            entry = AuditEntry(float(number), "paper:mod", "pause")
            await store.servers.change(SERVER, lambda settings: settings, entry)
        await store.servers.change(
            "paper:2", lambda settings: settings, AuditEntry(0.5, "paper:mod", "pause")
        )
        kept = [entry.at for entry in await store.servers.audit_log(SERVER)]
    assert kept == [float(number) for number in range(AUDIT_ENTRIES_KEPT, 0, -1)]


async def test_settings_outlive_the_process_and_stay_in_their_server(tmp_path: Path) -> None:
    entry = AuditEntry(1.0, "paper:mod", "block", ANN)
    async with SessionStore.open(tmp_path / "conversations.db") as store:
        decided = await store.servers.change(
            SERVER, lambda settings: replace(settings, blocked=(ANN,), hidden=(PLACE,), per_day=3), entry
        )
        await store.servers.change(SERVER, lambda settings: replace(settings, closed=("paper:c2", PLACE)))
    async with SessionStore.open(tmp_path / "conversations.db") as store:
        assert await store.servers.settings(SERVER) == replace(decided, closed=("paper:c2", PLACE))
        for other in ("paper:2", None):
            assert await store.servers.settings(other) == DEFAULT_SERVER_SETTINGS
        assert await store.servers.audit_log(SERVER) == (replace(entry, server=SERVER),)
