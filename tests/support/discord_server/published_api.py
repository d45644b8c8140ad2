"""Judges requests and answers by the published API description, where a copy is at hand.

Two things the description does not know: discord.py sends snowflakes as integers too, and a few fields that
the service ignores. Beyond plain JSON schema, fields that no variant of a schema names are reported.
"""

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.support.discord_server.world import Json

PUBLISHED = Path(__file__).parents[4] / "shared" / "discord" / "openapi.json"
IGNORED_FIELDS = {
    "tts",
    "nsfw",
    "embeds",
    "poll",
}  # sent by discord.py where the description has no such field


class PublishedApi:
    """The description of every route, compiled on first use."""

    def __init__(self, description: Json) -> None:
        snowflake = description["components"]["schemas"]["SnowflakeType"]
        snowflake["type"] = ["string", "integer"]
        self._paths = description["paths"]
        resource = Resource.from_contents(description, default_specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource("api", resource)
        self._root = description

    @staticmethod
    def gap(path: Path = PUBLISHED) -> str | None:
        """What is not checked without the description; None where it is there."""
        return None if path.exists() else f"loopback Discord: {path} is missing, so no request is validated"

    @classmethod
    def load(cls, path: Path = PUBLISHED) -> "PublishedApi | None":
        """The description from its file; None where there is none."""
        return cls(json.loads(path.read_text())) if path.exists() else None

    def complaints_about_request(self, method: str, path: str, body: Any) -> list[str]:
        """What is wrong with a request body, one sentence each."""
        schema = self._request_schema(method, path)
        if schema is None or body is None:
            return []
        return self._complaints(f"{method} {path}", schema, body)

    def complaints_about_answer(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """What is wrong with an answer of the server itself."""
        schema = self._answer_schema(method, path, status)
        if schema is None or body is None:
            return []
        return self._complaints(f"answer to {method} {path}", schema, body)

    def _complaints(self, where: str, pointer: str, body: Any) -> list[str]:
        worst = best_match(self._validator(pointer).iter_errors(body))
        found = [f"{where}: {worst.json_path}: {worst.message[:300]}"] if worst else []
        unknown = self._unknown({"$ref": f"api{pointer}"}, body, "")
        return found + [f"{where}: unknown field {name}" for name in unknown]

    @functools.cache  # noqa: B019 - lives as long as the tests
    def _validator(self, pointer: str) -> Draft202012Validator:
        return Draft202012Validator({"$ref": f"api{pointer}"}, registry=self._registry)

    def _request_schema(self, method: str, path: str) -> str | None:
        operation = self._paths.get(path, {}).get(method.lower(), {})
        if "application/json" not in operation.get("requestBody", {}).get("content", {}):
            return None
        return f"#/paths/{_escaped(path)}/{method.lower()}/requestBody/content/application~1json/schema"

    def _answer_schema(self, method: str, path: str, status: int) -> str | None:
        operation = self._paths.get(path, {}).get(method.lower(), {})
        if "application/json" not in operation.get("responses", {}).get(str(status), {}).get("content", {}):
            return None
        return (
            f"#/paths/{_escaped(path)}/{method.lower()}/responses/{status}/content/application~1json/schema"
        )

    def _unknown(self, schema: Json, value: Any, where: str) -> Iterator[str]:
        """Names of fields in `value` that no variant of `schema` has."""
        variants = list(self._variants(schema))
        if isinstance(value, list):
            items = {"anyOf": [v["items"] for v in variants if "items" in v]}
            for number, item in enumerate(value):
                yield from self._unknown(items, item, f"{where}/{number}") if items["anyOf"] else ()
        if not isinstance(value, dict) or any("additionalProperties" in v for v in variants):
            return
        for name, inner in value.items():
            known = [v["properties"][name] for v in variants if name in v.get("properties", {})]
            if known:
                yield from self._unknown({"anyOf": known}, inner, f"{where}/{name}")
            elif name not in IGNORED_FIELDS and any("properties" in v for v in variants):
                yield f"{where}/{name}"

    def _variants(self, schema: Json) -> Iterator[Json]:
        """The schema and every alternative inside it, with references followed."""
        if "$ref" in schema:
            yield from self._variants(self._resolved(schema["$ref"]))
        yield schema
        for kind in ("anyOf", "oneOf", "allOf"):
            for variant in schema.get(kind, []):
                yield from self._variants(variant)

    def _resolved(self, reference: str) -> Json:
        found: Any = self._root
        for part in reference.split("#/")[1].split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        return found


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")
