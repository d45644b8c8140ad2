"""No top-level class and no module name stands for two things."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILES = [
    file for package in ("bot", "conversations", "mgie_engine") for file in (ROOT / package).rglob("*.py")
]
MAY_REPEAT = {"errors", "settings", "cli", "command", "__init__", "__main__"}


def repeated(names: list[str]) -> set[str]:
    return {name for name, count in Counter(names).items() if count > 1}


def test_no_two_modules_share_a_name() -> None:
    assert repeated([file.stem for file in FILES]) <= MAY_REPEAT


def test_no_two_classes_share_a_name() -> None:
    classes = [re.findall(r"^class (\w+)", file.read_text("utf-8"), re.MULTILINE) for file in FILES]
    assert repeated([name for names in classes for name in names]) == set()
