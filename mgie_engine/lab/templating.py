"""Reports as text from the Jinja2 templates beside this module; HTML is escaped, Markdown is not."""

from collections.abc import Callable
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("mgie_engine.lab"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(template: str, *formats: Callable[..., str], **values: Any) -> str:
    """The template with its values; it may call the formats by the names of the functions."""
    return _environment().get_template(template).render(values, **{f.__name__: f for f in formats})
