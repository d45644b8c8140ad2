"""Small facts about users: language, last hint, where they cleared their head, words that lack a picture."""

from sqlite_utils import Database

from conversations.store.erasures import refuse_erased
from conversations.store.sql import value
from conversations.store.table_group import TableGroup, on_database, on_database_now


def language(db: Database, user: str) -> str | None:
    """The tag of the language this user last used, if known."""
    found: str | None = value(db, "SELECT language FROM users WHERE user = ?", user)
    return found


def set_language(db: Database, now: float, user: str, language: str) -> None:
    """Save the language of a user."""
    db.table("users").upsert({"user": user, "language": language, "changed_at": now}, pk="user")


def note_hint(db: Database, user: str, day: str) -> bool:
    """Whether this user got no hint on `day` (ISO date) yet; records that they get one now."""
    done = db.execute(
        "INSERT INTO users (user, hinted_on) VALUES (?1, ?2) "
        "ON CONFLICT (user) DO UPDATE SET hinted_on = ?2 WHERE hinted_on IS NOT ?2",
        (user, day),
    )
    return done.rowcount > 0


def clear_head(db: Database, now: float, user: str, channel: str) -> None:
    """From now on the user has no current version in the channel, until they move or ask again."""
    db.table("cleared_heads").insert({"user": user, "channel": channel, "cleared_at": now}, replace=True)


def head_cleared_at(db: Database, user: str, channel: str) -> float | None:
    """When the user last cleared their head in the channel (Unix seconds), if ever."""
    sql = "SELECT cleared_at FROM cleared_heads WHERE user = ? AND channel = ?"
    found: float | None = value(db, sql, user, channel)
    return found


def ask_picture(
    db: Database, now: float, user: str, channel: str, words: str, asked_at: float | None = None
) -> None:
    """The user was asked which picture these words are about; their next edit there answers it.

    UserErased if they erased everything since `asked_at`.
    """
    refuse_erased(db, asked_at, user)
    row = {"user": user, "channel": channel, "words": words, "asked_at": now}
    db.table("open_questions").insert(row, replace=True)


def open_words(db: Database, user: str, channel: str, since: float) -> str | None:
    """The words of the user in the channel that wait for a picture, if asked at `since` or later."""
    sql = "SELECT words FROM open_questions WHERE user = ? AND channel = ? AND asked_at >= ?"
    found: str | None = value(db, sql, user, channel, since)
    return found


class UserTables(TableGroup):
    """What the bot keeps of a user beside sessions, overrides and consents."""

    language = on_database(language)
    set_language = on_database_now(set_language)
    note_hint = on_database(note_hint)
    clear_head = on_database_now(clear_head)
    head_cleared_at = on_database(head_cleared_at)
    ask_picture = on_database_now(ask_picture)
    open_words = on_database(open_words)
