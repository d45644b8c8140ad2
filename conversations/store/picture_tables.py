"""Whose pictures they are, and which of them are no longer used."""

from collections.abc import Iterable

from sqlite_utils import Database

from conversations.store.serialization import turn_of
from conversations.store.sql import one, values, writing
from conversations.store.table_group import TableGroup, on_database
from conversations.turn import Turn


def of_user(db: Database, user: str) -> frozenset[str]:
    """The pictures that the user uploaded or wants to edit with consent, those of their edits, and masks."""
    return frozenset(values(db, "SELECT image FROM held_pictures WHERE user = ?", user))


def unused_of(db: Database, user: str, keep: int, used: str | None) -> tuple[frozenset[str], ...]:
    """The user's pictures in sessions that they began and that may lose them, least recently used first.

    Not in the `keep` sessions used last, nor in the session `used`, nor where an edit is open; and no picture
    that other users or other sessions have as well.
    """
    # By order, not by age: a clock that is wrong must not make a session look unused.
    newest_first = list(
        db.query(
            "SELECT sessions.id, sum(state IN ('waiting', 'running', 'delivering')) AS open FROM sessions "
            "JOIN turns ON session_id = sessions.id WHERE owner = ? GROUP BY sessions.id "
            "ORDER BY max(max(turns.created_at), coalesce("
            "(SELECT max(moved_at) FROM heads WHERE heads.session_id = sessions.id), 0)) DESC, "
            "sessions.rowid DESC",
            (user,),
        )
    )
    unused = [row["id"] for row in newest_first[keep:] if not row["open"] and row["id"] != used]
    pictures = (_only_in(db, session_id, user) for session_id in reversed(unused))
    return tuple(keys for keys in pictures if keys)


def _only_in(db: Database, session_id: str, user: str) -> frozenset[str]:
    sql = (
        "SELECT DISTINCT image FROM held_pictures AS own WHERE session_id = ? AND user = ? "
        "AND NOT EXISTS (SELECT 1 FROM held_pictures AS other WHERE other.image = own.image "
        "AND (other.session_id IS NOT own.session_id OR other.user != own.user))"
    )
    return frozenset(values(db, sql, session_id, user))


def images_in_use(db: Database) -> frozenset[str]:
    """The keys of all images that turns or open questions have; others in the ImageStore can be deleted."""
    return frozenset(values(db, "SELECT image FROM held_pictures"))


def images_untouched_since(db: Database, moment: float) -> frozenset[str]:
    """The keys of images used only in sessions with no open turn and no turn since `moment` (Unix time)."""
    sql = (
        "SELECT image FROM held_pictures JOIN (SELECT session_id, max(created_at) AS touched, "
        "sum(state IN ('waiting', 'running', 'delivering')) AS open FROM turns GROUP BY session_id) "
        "USING (session_id) "
        "WHERE image NOT IN (SELECT image FROM held_pictures WHERE session_id IS NULL) "
        "GROUP BY image HAVING max(touched) < ? AND sum(open) = 0"
    )
    return frozenset(values(db, sql, moment))


def turns_with(db: Database, image: str) -> tuple[Turn, ...]:
    """The turns whose picture this is, or one of whose cells shows it, the newest first."""
    rows = db.query(
        "SELECT * FROM turns WHERE image = ?1 UNION SELECT * FROM turns WHERE cells IS NOT NULL "
        "AND instr(cells, ?1) ORDER BY created_at DESC, number DESC",
        (image,),
    )
    return tuple(turn_of(row) for row in rows)


def is_shared(db: Database, image: str) -> bool:
    """Whether more than one turn or open question has this image."""
    return len(values(db, "SELECT 1 FROM held_pictures WHERE image = ? LIMIT 2", image)) > 1


def is_used(db: Database, image: str) -> bool:
    """Whether a turn or a question has this picture."""
    return one(db, "SELECT 1 FROM held_pictures WHERE image = ? LIMIT 1", image) is not None


def delete_unused(db: Database, images: Iterable[str | None]) -> tuple[str, ...]:
    """Record that the files of those pictures must be deleted that nothing has any more; these, in order."""
    with writing(db):
        unused = tuple(sorted(key for key in set(images) if key and not is_used(db, key)))
        for key in unused:
            db.execute("INSERT OR IGNORE INTO picture_deletions (image) VALUES (?)", (key,))
    return unused


def to_delete(db: Database) -> tuple[str, ...]:
    """The pictures whose files must still be deleted, oldest first."""
    return values(db, "SELECT image FROM picture_deletions ORDER BY rowid")


def deleted(db: Database, images: Iterable[str]) -> None:
    """Record that these files are gone, or wanted again."""
    with writing(db):
        for key in images:
            db.execute("DELETE FROM picture_deletions WHERE image = ?", (key,))


class PictureTables(TableGroup):
    """Questions about the pictures of a user; pictures are named by their ImageStore keys."""

    of_user = on_database(of_user)
    unused_of = on_database(unused_of)
    is_used = on_database(is_used)
    to_delete = on_database(to_delete)
    deleted = on_database(deleted)
