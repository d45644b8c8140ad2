"""Convert sessions and turns to database rows and back. Values with parts become JSON. Knows no SQL."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from typing import Any, TypedDict

from conversations.messages import Message
from conversations.request_source import SOURCE_FIELDS, RequestSource
from conversations.session import EditSession, Head, Turn, TurnState
from conversations.settings import NO_OVERRIDE, EditSettings, Grid, SettingsOverride

DbRow = dict[str, Any]


class TurnFields(TypedDict, total=False):
    """The fields of a turn that change after it was requested."""

    expressive: str | None
    settings: EditSettings | None
    image: str | None
    seconds: Mapping[str, float]
    changed: float | None
    notes: tuple[Message, ...]
    error: Message | None
    delivered: str | None


def turn_row(turn: Turn) -> DbRow:
    """The turn as a row."""
    plain = {column: getattr(turn, column) for column in _PLAIN}
    rest: TurnFields = {
        "settings": turn.settings,
        "seconds": turn.seconds,
        "notes": turn.notes,
        "error": turn.error,
    }
    more = {
        **asdict(turn.source),
        "auto_scales": _text(turn.auto_scales),
        "is_hidden": int(turn.is_hidden),
        "state": turn.state.value,
        "override": override_text(turn.override),
        "grid": _text(asdict(turn.grid)) if turn.grid else None,
        "is_reworded": int(turn.is_reworded),
    }
    return {**plain, **more, **fields_row(rest)}


def fields_row(fields: TurnFields) -> DbRow:
    """These fields as columns."""
    row: DbRow = dict(fields)
    if "notes" in fields:
        row["notes"] = [note.to_json() for note in fields["notes"]]
    if error := fields.get("error"):
        row["error"] = error.to_json()
    for column in _JSON & row.keys():
        row[column] = None if row[column] is None else _text(row[column])
    settings = fields.get("settings")
    if settings is not None:
        row["settings"] = _text(asdict(settings))
    return row


def turn_of(row: Mapping[str, Any]) -> Turn:
    """The turn of a row."""
    settings = row["settings"]
    return Turn(
        **{column: row[column] for column in _PLAIN},
        state=TurnState(row["state"]),
        override=override_of(row["override"]),
        settings=EditSettings(**json.loads(settings)) if settings else None,
        seconds=json.loads(row["seconds"]),
        notes=tuple(map(Message.from_json, json.loads(row["notes"]))),
        error=Message.from_json(json.loads(row["error"])) if row["error"] else None,
        source=RequestSource(**{name: row[name] for name in SOURCE_FIELDS}),
        auto_scales=tuple(json.loads(row["auto_scales"])),
        is_hidden=bool(row["is_hidden"]),
        is_reworded=bool(row["is_reworded"]),
        grid=_grid_of(row["grid"]),
    )


def _grid_of(text: str | None) -> Grid | None:
    if text is None:
        return None
    axes = json.loads(text)
    return Grid(tuple(axes["text_cfg"]), tuple(axes["image_cfg"]))


def head_of(row: Mapping[str, Any]) -> Head:
    """The head of a row."""
    return Head(row["turn_id"], tuple(json.loads(row["redo"])), row["moved_at"], row["channel"])


def redo_text(redo: Iterable[str]) -> str:
    """A redo stack as JSON."""
    return _text(list(redo))


def session_of(
    row: DbRow, turns: Iterable[DbRow], heads: Iterable[DbRow], override: SettingsOverride
) -> EditSession:
    """The session of these rows; `turns` in order of number."""
    return EditSession(
        id=row["id"],
        channel=row["channel"],
        owner=row["owner"],
        turns={turn["id"]: turn_of(turn) for turn in turns},
        heads={head["user"]: head_of(head) for head in heads},
        override=override,
        created_at=row["created_at"],
        is_locked=bool(row["is_locked"]),
    )


def override_text(override: SettingsOverride) -> str | None:
    """An override as JSON with only the settings it names; None if it names none."""
    return _text(override.explicit()) if override != NO_OVERRIDE else None


def override_of(text: str | None) -> SettingsOverride:
    """The override stored as `text`."""
    return SettingsOverride(**json.loads(text)) if text else NO_OVERRIDE


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_JSON = frozenset({"seconds", "notes", "error"})
_CONVERTED = {"state", "override", "settings", "seconds", "notes", "error", "source", "grid"}
_CONVERTED |= {"auto_scales", "is_hidden", "is_reworded"}
_PLAIN = tuple(field.name for field in fields(Turn) if field.name not in _CONVERTED)  # stored as they are
