"""What may be loaded together: serving an edit needs no module of the lab."""

import subprocess
import sys

import pytest

ENTRIES = (
    "mgie_engine.serving.service",
    "mgie_engine.serving.worker",
    "mgie_engine.serving.engine",
    "bot.cli",
)


@pytest.mark.parametrize("module", [*ENTRIES, "mgie_engine.cli"])
def test_serving_and_the_bot_import_no_module_of_the_lab(module: str) -> None:
    code = (
        f"import sys, {module}; print([name for name in sys.modules if name.startswith('mgie_engine.lab')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
