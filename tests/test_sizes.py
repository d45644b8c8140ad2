"""No file and no function is too long to be read at one go (CONTRIBUTING.md)."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("bot", "conversations", "mgie_engine", "benchmarks", "tests")
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 350, 50
FILES = {file: file.read_text("utf-8") for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")}


def test_no_file_is_too_long() -> None:
    assert [str(file) for file, text in FILES.items() if text.count("\n") > MOST_LINES] == []


def test_no_function_is_too_long() -> None:
    long = [
        f"{file}: {node.name}"
        for file, text in FILES.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= MOST_LINES_OF_A_FUNCTION
    ]
    assert long == []
