"""The noted launches of our kernels; run as a program, it compiles them. See `serving.kernel_building`."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

LIST = Path(__file__).parent / "kernels.json"


def main() -> None:
    """Compile what is noted, as far as this machine can."""
    notes: list[dict[str, Any]] = json.loads(LIST.read_text())
    import_module("mgie_engine.model.triton_launch").compile_all(notes, _kernel)


def _kernel(module: str, name: str) -> Any:
    return getattr(import_module(module), name)


if __name__ == "__main__":
    main()
