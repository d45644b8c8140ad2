"""Packages of the extra `training`, imported when something needs them: a base install has none of them."""

from importlib import import_module
from typing import Any

from mgie_engine.errors import DataError


def training_package(module: str) -> Any:
    """A module of a package of that extra; DataError where it is not installed."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        raise DataError(f"This needs {package}: pip install 'mgie[training]'.") from error
