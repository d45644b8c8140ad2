"""Judges requests and answers by the published API description, where a copy is at hand.

Two things the description does not know: discord.py sends snowflakes as integers too, and a few fields that
the service ignores. Beyond plain JSON schema, fields that no variant of a schema names are reported.
"""

import functools
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError, best_match
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


SNOWFLAKE = re.compile(r'"\d{15,20}"')  # in JSON


class PublishedApi:
    """The description of every route, compiled on first use."""

    def __init__(self, description: Json) -> None:
        snowflake = description["components"]["schemas"]["SnowflakeType"]
        snowflake["type"] = ["string", "integer"]
        self._paths = description["paths"]
        resource = Resource.from_contents(description, default_specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource("api", resource)
        self._root = description
        self._draft = validators.extend(Draft202012Validator, {"oneOf": self._one_of})
        self._sound = set[tuple[str, bytes]]()  # schemas and what was found to follow them

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
        # Every bot that starts registers the same commands, whose validation takes a quarter of a second.
        judged = pointer, _digest(body)
        if judged in self._sound:
            return []
        found = self._validated(where, pointer, body)
        if not found:
            self._sound.add(judged)
        return found

    def _validated(self, where: str, pointer: str, body: Any) -> list[str]:
        worst = best_match(self._validator(pointer).iter_errors(body))
        found = [f"{where}: {worst.json_path}: {worst.message[:300]}"] if worst else []
        unknown = self._unknown({"$ref": f"api{pointer}"}, body, "")
        return found + [f"{where}: unknown field {name}" for name in unknown]

    @functools.cache  # noqa: B019 - lives as long as the tests
    def _validator(self, pointer: str) -> Any:
        return self._draft({"$ref": f"api{pointer}"}, registry=self._registry)

    def _one_of(
        self, validator: Any, variants: list[Json], instance: Any, schema: Json
    ) -> Iterator[ValidationError]:
        """`oneOf`, but components of another type are not examined to the end, with all that is in them."""
        possible = [variant for variant in variants if self._is_possible(variant, instance)]
        one_of = Draft202012Validator.VALIDATORS["oneOf"]
        yield from one_of(validator, possible or variants, instance, schema)

    def _is_possible(self, variant: Json, instance: Any) -> bool:
        """Whether a variant may be valid, judged by the field `type` alone."""
        known = self._resolved(variant["$ref"]) if "$ref" in variant else variant
        types = known.get("properties", {}).get("type", {}).get("enum")
        return types is None or not isinstance(instance, dict) or instance.get("type", types[0]) in types

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


def _digest(body: Any) -> bytes:
    """The same for bodies that differ only in snowflakes, as long as equal ones are in the same places."""
    order = dict[str, int]()

    def numbered(found: re.Match[str]) -> str:
        return f'"{order.setdefault(found[0], len(order)):0{len(found[0]) - 2}}"'

    text = SNOWFLAKE.sub(numbered, json.dumps(body))
    return hashlib.sha256(text.encode()).digest()


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")
