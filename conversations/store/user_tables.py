"""Small facts about users: language, last hint, where they started afresh, words that wait for a picture."""

from sqlite_utils import Database

from conversations.store.queries import one
from conversations.store.table_group import TableGroup


class UserTables(TableGroup):
    """What the bot keeps of a user beside sessions, overrides and consents."""

    async def language(self, user: str) -> str | None:
        """The tag of the language this user last used, if known."""
        return await self._do(_language, user)

    async def set_language(self, user: str, language: str) -> None:
        """Save the language of a user."""
        await self._do(_set_language, user, language)

    async def note_hint(self, user: str, day: str) -> bool:
        """Whether this user got no hint on `day` (ISO date) yet; records that they get one now."""
        return await self._do(_note_hint, user, day)

    async def clear_head(self, user: str, channel: str) -> None:
        """From now on the user has no current version in the channel, until they move or ask again."""
        await self._do(_clear_head, user, channel, self._clock())

    async def head_cleared_at(self, user: str, channel: str) -> float | None:
        """When the user last cleared their head in the channel (Unix seconds), if ever."""
        return await self._do(_head_cleared_at, user, channel)

    async def ask_picture(self, user: str, channel: str, words: str) -> None:
        """The user was asked which picture these words are about; their next edit there answers it."""
        await self._do(_ask_picture, user, channel, words, self._clock())

    async def open_words(self, user: str, channel: str, since: float) -> str | None:
        """The words of the user in the channel that wait for a picture, if asked at `since` or later."""
        return await self._do(_open_words, user, channel, since)


def _language(db: Database, user: str) -> str | None:
    row = one(db, "SELECT language FROM users WHERE user = ?", user)
    return row["language"] if row else None


def _set_language(db: Database, user: str, language: str) -> None:
    db.execute(
        "INSERT INTO users (user, language) VALUES (?, ?) "
        "ON CONFLICT (user) DO UPDATE SET language = excluded.language",
        (user, language),
    )


def _note_hint(db: Database, user: str, day: str) -> bool:
    done = db.execute(
        "INSERT INTO users (user, hinted_on) VALUES (?1, ?2) "
        "ON CONFLICT (user) DO UPDATE SET hinted_on = ?2 WHERE hinted_on IS NOT ?2",
        (user, day),
    )
    return done.rowcount > 0


def _clear_head(db: Database, user: str, channel: str, now: float) -> None:
    db.execute(
        "INSERT OR REPLACE INTO cleared_heads (user, channel, cleared_at) VALUES (?, ?, ?)",
        (user, channel, now),
    )


def _head_cleared_at(db: Database, user: str, channel: str) -> float | None:
    row = one(db, "SELECT cleared_at FROM cleared_heads WHERE user = ? AND channel = ?", user, channel)
    return row["cleared_at"] if row else None


def _ask_picture(db: Database, user: str, channel: str, words: str, now: float) -> None:
    db.execute(
        "INSERT OR REPLACE INTO open_questions (user, channel, words, asked_at) VALUES (?, ?, ?, ?)",
        (user, channel, words, now),
    )


def _open_words(db: Database, user: str, channel: str, since: float) -> str | None:
    row = one(
        db,
        "SELECT words FROM open_questions WHERE user = ? AND channel = ? AND asked_at >= ?",
        user,
        channel,
        since,
    )
    return row["words"] if row else None
