"""The settings overrides of sessions, users and channels."""

from typing import Literal

from sqlite_utils import Database

from conversations.settings import NO_OVERRIDE, SettingsOverride
from conversations.store.serialization import override_of, override_text
from conversations.store.sql import value

OverrideScope = Literal["session", "user", "channel"]


def override(db: Database, scope: OverrideScope, key: str) -> SettingsOverride:
    """The settings override of a session (by id), a user or a channel; NO_OVERRIDE if there is none."""
    return override_of(value(db, "SELECT override FROM overrides WHERE scope = ? AND key = ?", scope, key))


def set_override(
    db: Database, now: float, scope: OverrideScope, key: str, override: SettingsOverride
) -> None:
    """Replace that override; NO_OVERRIDE removes it."""
    if override == NO_OVERRIDE:
        db.execute("DELETE FROM overrides WHERE scope = ? AND key = ?", (scope, key))
    else:
        row = {"scope": scope, "key": key, "override": override_text(override), "changed_at": now}
        db.table("overrides").insert(row, replace=True)
