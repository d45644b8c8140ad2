"""Questions to the owners of pictures: one of each asker to each owner, open or answered with no."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from sqlite_utils import Database

from conversations.store.erasures import refuse_erased
from conversations.store.handled_events import seen
from conversations.store.picture_tables import delete_unused
from conversations.store.posted_messages import delete_later
from conversations.store.sql import writing
from conversations.store.table_group import TableGroup, on_database, on_database_now


@dataclass(frozen=True, slots=True)
class ConsentQuestion:
    """Whether `asker` may edit a picture of `owner`.

    words       what the asker wants, to be shown; "" once refused
    work        the edit that waits for the answer, as text; "" once refused
    image       ImageStore key of a picture that is not yet in a session; None where the edit names a version
    mask        ImageStore key of the region that was marked by hand
    is_hidden   whether that picture was posted behind a spoiler
    asked_at    Unix seconds
    message     key of the message that asks, once it is posted
    refused_at  Unix seconds of a no; None while it is open
    """

    id: str
    asker: str
    owner: str
    event_id: str
    words: str
    work: str
    asked_at: float
    image: str | None = None
    image_message: str | None = None
    is_hidden: bool = False
    message: str | None = None
    refused_at: float | None = None
    mask: str | None = None

    @property
    def pictures(self) -> tuple[str, ...]:
        """The keys of all pictures that it holds."""
        return tuple(key for key in (self.image, self.mask) if key)


def ask(db: Database, question: ConsentQuestion, asked_at: float | None = None) -> None:
    """Save a question; it takes the place of an earlier one of the same asker to the same owner.

    The picture of the earlier one is to be deleted, if nothing else has it. UserErased if one of
    them erased everything since `asked_at`; then nothing is written.
    """
    with writing(db):
        refuse_erased(db, asked_at, question.asker, question.owner)
        replaced = list(_found(db, "asker = ? AND owner = ?", question.asker, question.owner))
        for earlier in replaced:
            _end(db, earlier)
        db.table("consent_questions").insert(asdict(question))
        delete_unused(db, [key for earlier in replaced for key in earlier.pictures])


def question(db: Database, question_id: str) -> ConsentQuestion | None:
    """The question of that id; None once it is answered or has expired."""
    return next(_found(db, "id = ? AND refused_at IS NULL", question_id), None)


def between(db: Database, asker: str, owner: str) -> ConsentQuestion | None:
    """The last question of that asker to that owner, open or refused."""
    return next(_found(db, "asker = ? AND owner = ?", asker, owner), None)


def open_by(db: Database, asker: str) -> int:
    """How many questions of this user are open."""
    return len(list(_found(db, "asker = ? AND refused_at IS NULL", asker)))


def open_in(db: Database, owner: str, channel: str) -> tuple[ConsentQuestion, ...]:
    """The open questions to this user that stand in this channel, oldest first."""
    found = _found(db, "owner = ? AND refused_at IS NULL AND message IS NOT NULL", owner)
    return tuple(asked for asked in found if (asked.message or "").startswith(f"{channel}:"))


def not_posted(db: Database, chat: str) -> tuple[ConsentQuestion, ...]:
    """The open questions to users of this chat whose message is not known, oldest first."""
    return tuple(_found(db, "owner LIKE ? AND refused_at IS NULL AND message IS NULL", f"{chat}:%"))


def posted(db: Database, question_id: str, message: str) -> bool:
    """Record the message that asks; False, with the message to be deleted, if the question is over by now."""
    with writing(db):
        done = db.execute(
            "UPDATE consent_questions SET message = ? WHERE id = ? AND refused_at IS NULL",
            (message, question_id),
        )
        if done.rowcount == 0:
            delete_later(db, [message])
    return done.rowcount > 0


def end(
    db: Database,
    now: float,
    question_id: str,
    *,
    is_refused: bool = False,
    event_id: str | None = None,
    waits_for_another: bool = False,
) -> tuple[str, ...]:
    """End a question; its message is to be deleted, and its picture, which it gives, if nothing else has it.

    `is_refused`: what remains is that the owner said no, and when. `event_id`: of the answer, handled by now;
    so is the edit, unless it `waits_for_another` owner.
    """
    with writing(db):
        asked = next(_found(db, "id = ?", question_id), None)
        if asked is None:
            return ()
        if event_id is not None:
            seen(db, now, event_id)
            if not waits_for_another:
                seen(db, now, asked.event_id)
        _end(db, asked)
        if is_refused:
            kept = ("id", "asker", "owner", "event_id", "asked_at")
            no = {column: value for column, value in asdict(asked).items() if column in kept}
            more = {"words": "", "work": "", "is_hidden": 0, "refused_at": now}
            db.table("consent_questions").insert({**no, **more})
        return delete_unused(db, asked.pictures)


def of_message(db: Database, event_id: str, message: str | None) -> tuple[ConsentQuestion, ...]:
    """The open questions that a message (an event, a key) asked for, or whose picture it holds.

    The event id of a rewording of the message begins with that of the message: "event:when".
    """
    where = "refused_at IS NULL AND (event_id || ':' LIKE ? || ':%' OR image_message = ?)"
    return tuple(_found(db, where, event_id, message))


def of_image(db: Database, image: str) -> tuple[ConsentQuestion, ...]:
    """The questions that hold this picture."""
    return tuple(_found(db, "image = ?", image))


def expired(db: Database, asked_before: float, refused_before: float) -> tuple[ConsentQuestion, ...]:
    """The questions that are over: asked, or refused, before these moments (Unix seconds)."""
    old = "(refused_at IS NULL AND asked_at < ?) OR refused_at < ?"
    return tuple(_found(db, old, asked_before, refused_before))


def delete_of_user(db: Database, user: str) -> tuple[ConsentQuestion, ...]:
    """End every question by or to a user; those questions."""
    with writing(db):
        found = tuple(_found(db, "? IN (asker, owner)", user))
        for asked in found:
            _end(db, asked)
    return found


def _end(db: Database, asked: ConsentQuestion) -> None:
    db.execute("DELETE FROM consent_questions WHERE id = ?", (asked.id,))
    if asked.message:
        delete_later(db, [asked.message])


def _found(db: Database, where: str, *values: Any) -> Iterator[ConsentQuestion]:
    rows = list(db.query(f"SELECT * FROM consent_questions WHERE {where} ORDER BY asked_at, rowid", values))
    return (ConsentQuestion(**{**row, "is_hidden": bool(row["is_hidden"])}) for row in rows)


class ConsentQuestions(TableGroup):
    """The questions that wait for owners, and their noes."""

    ask = on_database(ask)
    question = on_database(question)
    between = on_database(between)
    open_by = on_database(open_by)
    open_in = on_database(open_in)
    not_posted = on_database(not_posted)
    posted = on_database(posted)
    end = on_database_now(end)
    of_message = on_database(of_message)
    of_image = on_database(of_image)
    expired = on_database(expired)
