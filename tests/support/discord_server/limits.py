"""The bounds Discord puts on a message, checked as the service does; broken ones are code 50035 or 40005."""

import itertools
from collections.abc import Iterable, Iterator

from tests.support.discord_server.world import COMPONENTS_V2, ApiError, Json

ROW, BUTTON, TEXT_DISPLAY, GALLERY, CONTAINER = 1, 2, 10, 12, 17
ONLY_V2 = {9, 10, 11, 12, 13, 14, 17}
REQUEST_BYTES = 25 * 1024 * 1024


def invalid(field: str, why: str) -> ApiError:
    return ApiError(400, 50035, f"Invalid Form Body: {field}: {why}")


def every_component(components: Iterable[Json]) -> Iterable[Json]:
    """All components of a tree, outermost first."""
    for component in components:
        yield component
        yield from every_component(component.get("components", []))
        if "accessory" in component:
            yield component["accessory"]


def check_message(payload: Json, flags: int) -> None:
    """Raise 50035 for a message the service would refuse."""
    components = list(every_component(payload.get("components") or []))
    v2 = bool(flags & COMPONENTS_V2)
    if len(payload.get("content") or "") > 2000:
        raise invalid("content", "Must be 2000 or fewer in length.")
    if v2 and (payload.get("content") or payload.get("embeds")):
        raise invalid(
            "content", "The 'content' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
        )
    if not v2 and any(c["type"] in ONLY_V2 for c in components):
        raise invalid("components", "This component type needs MessageFlags.IS_COMPONENTS_V2")
    if len(components) > 40:
        raise invalid("components", "Must be 40 or fewer in total.")
    for component in components:
        _check_component(component)
    _check_sums(components)


def _check_component(component: Json) -> None:
    kind = component["type"]
    if kind == ROW and not 1 <= len(component["components"]) <= 5:
        raise invalid("components", "Must be between 1 and 5 in length.")
    if kind == BUTTON and len(component.get("label") or "") > 80:
        raise invalid("label", "Must be 80 or fewer in length.")
    if kind == GALLERY:
        if not 1 <= len(component["items"]) <= 10:
            raise invalid("items", "Must be between 1 and 10 in length.")
        if any(len(item.get("description") or "") > 1024 for item in component["items"]):
            raise invalid("description", "Must be 1024 or fewer in length.")
    if not 1 <= len(component.get("custom_id", "x")) <= 100:
        raise invalid("custom_id", "Must be between 1 and 100 in length.")


def _check_sums(components: list[Json]) -> None:
    ids = [c["custom_id"] for c in components if "custom_id" in c]
    if len(ids) != len(set(ids)):
        raise invalid("custom_id", "Component custom id cannot be duplicated")
    if sum(len(c["content"]) for c in components if c["type"] == TEXT_DISPLAY) > 4000:
        raise invalid("components", "Total displayable text must be 4000 or fewer in length.")


def check_files(files: Iterable[bytes], per_file: int) -> None:
    """Raise 40005 where a file, or all of them together, are too large."""
    sizes = [len(data) for data in files]
    if sum(sizes) > REQUEST_BYTES or any(size > per_file for size in sizes):
        raise ApiError(413, 40005, "Request entity too large")
    if len(sizes) > 10:
        raise invalid("files", "Must be 10 or fewer in length.")


FILLED_IN: dict[int, Json] = {
    11: {"description": None, "spoiler": False},
    14: {"spacing": 1, "divider": True},
    CONTAINER: {"accent_color": None, "spoiler": False},
}


def as_stored(components: Iterable[Json]) -> list[Json]:
    """The components as the service keeps them: numbered, with the fields it fills in itself."""
    ids = itertools.count(1)
    return [_stored(component, ids) for component in components]


def _stored(component: Json, ids: Iterator[int]) -> Json:
    stored = FILLED_IN.get(component["type"], {}) | component
    stored["id"] = component.get("id") or next(ids)
    if "components" in component:
        stored["components"] = [_stored(child, ids) for child in component["components"]]
    if "accessory" in component:
        stored["accessory"] = _stored(component["accessory"], ids)
    if "emoji" in component:
        stored["emoji"] = {name: value for name, value in component["emoji"].items() if value is not None}
    if component["type"] == GALLERY:
        stored["items"] = [{"description": None, "spoiler": False} | item for item in component["items"]]
    return stored
