"""Convert sessions and turns to database rows and back. Values with parts become JSON. Knows no SQL."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields
from typing import Any, NamedTuple, TypedDict

from conversations.messages import Message
from conversations.request_source import SOURCE_FIELDS, RequestSource
from conversations.session import EditSession, Head
from conversations.settings import NO_OVERRIDE, EditSettings, Grid, MadeCell, SettingsOverride
from conversations.turn import Turn, TurnState

DbRow = dict[str, Any]


class TurnFields(TypedDict, total=False):
    """The fields of a turn that change after it was requested."""

    expressive: str | None
    settings: EditSettings | None
    image: str | None
    is_hidden: bool
    mask: str | None
    cells: tuple[MadeCell, ...]
    seconds: Mapping[str, float]
    changed: float | None
    is_exact: bool
    notes: tuple[Message, ...]
    error: Message | None
    confidence: float | None
    other_readings: tuple[str, ...]
    delivered: str | None


def turn_row(turn: Turn) -> DbRow:
    """The turn as a row."""
    return fields_row({name: getattr(turn, name) for name in _NAMES}) | asdict(turn.source)


def fields_row(fields: Mapping[str, Any]) -> DbRow:
    """These fields of a turn as columns."""
    return {name: _STORED[name].to_column(value) for name, value in fields.items()}


def turn_of(row: Mapping[str, Any]) -> Turn:
    """The turn of a row."""
    kept = {name: row[name] for name in SOURCE_FIELDS}
    source = RequestSource(**kept | {name: bool(row[name]) for name in ("is_age_restricted", "opens_thread")})
    return Turn(source=source, **{name: _STORED[name].of_column(row[name]) for name in _NAMES})


def head_of(row: Mapping[str, Any]) -> Head:
    """The head of a row."""
    return Head(row["turn_id"], tuple(json.loads(row["redo"])), row["moved_at"], row["channel"])


def redo_text(redo: Iterable[str]) -> str:
    """A redo stack as JSON."""
    return _text(list(redo))


def session_of(
    row: DbRow, turns: Iterable[DbRow], heads: Iterable[DbRow], override: SettingsOverride
) -> EditSession:
    """The session of these rows; `turns` in the order of asking."""
    return EditSession(
        id=row["id"],
        channel=row["channel"],
        owner=row["owner"],
        turns={turn["id"]: turn_of(turn) for turn in turns},
        heads={head["user"]: head_of(head) for head in heads},
        override=override,
        created_at=row["created_at"],
        is_locked=bool(row["is_locked"]),
        thread=row["thread"],
    )


def override_text(override: SettingsOverride) -> str | None:
    """An override as JSON with only the settings it names; None if it names none."""
    return _text(override.explicit()) if override != NO_OVERRIDE else None


def override_of(text: str | None) -> SettingsOverride:
    """The override stored as `text`."""
    return SettingsOverride(**json.loads(text)) if text else NO_OVERRIDE


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class _Stored(NamedTuple):
    """How a field becomes a column, and back."""

    to_column: Callable[[Any], Any] = lambda value: value
    of_column: Callable[[Any], Any] = lambda column: column


def _as_json(plain: Callable[[Any], Any], back: Callable[[Any], Any]) -> _Stored:
    """A field with parts. `plain`: as values of JSON; None stays None."""
    return _Stored(
        lambda value: None if value is None else _text(plain(value)),
        lambda text: back(json.loads(text)) if text else None,
    )


def _cell_of(saved: DbRow) -> MadeCell:
    return MadeCell(**saved | {"settings": EditSettings(**saved["settings"])})


_NAMES = tuple(field.name for field in fields(Turn) if field.name != "source")  # that has columns of its own
_STORED = dict.fromkeys(_NAMES, _Stored()) | {
    "state": _Stored(str, TurnState),
    "override": _Stored(override_text, override_of),
    "settings": _as_json(asdict, lambda found: EditSettings(**found)),
    "seconds": _as_json(dict, dict),
    "notes": _as_json(
        lambda notes: [note.to_json() for note in notes],
        lambda notes: tuple(map(Message.from_json, notes)),
    ),
    "error": _as_json(Message.to_json, Message.from_json),
    "auto_scales": _as_json(list, tuple),
    "other_readings": _Stored(
        lambda readings: _text(list(readings)), lambda text: tuple(json.loads(text)) if text else ()
    ),
    "grid": _as_json(asdict, lambda axes: Grid(**{axis: tuple(values) for axis, values in axes.items()})),
    "cells": _Stored(
        lambda cells: _text([asdict(cell) for cell in cells]) if cells else None,
        lambda text: tuple(map(_cell_of, json.loads(text))) if text else (),
    ),
    "is_hidden": _Stored(int, bool),
    "is_reworded": _Stored(int, bool),
    "is_exact": _Stored(int, bool),
}
