"""The documents name files, modules and targets that exist."""

import re
from pathlib import Path

import pytest
from sqlite_utils import Database

from conversations.store.migrations import migrations

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("mgie_engine/weights/**/*.md")]
)
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
FILE = re.compile(r"`((?:bot|conversations|mgie_engine|tests|benchmarks|docs)/[\w./-]*)`")
MODULE = re.compile(r"`((?:bot|conversations|mgie_engine)(?:\.(?!lock\b)\w+)+)`")  # bot.lock is a file
TARGET = re.compile(r"\bmake ([a-z]+)\b(?=[`\s]*(?:`|#|$))", re.MULTILINE)
TABLE = re.compile(r"`([a-z_]+)`")


def exists(module: str) -> bool:
    """Whether a dotted name is a module or package, or a name in one."""
    path = ROOT.joinpath(*module.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file() or path.parent.with_suffix(".py").is_file()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_names_exists(document: Path) -> None:
    text = document.read_text("utf-8")
    links = [link for link in LINK.findall(text) if not (document.parent / link).exists()]
    files = [name for name in FILE.findall(text) if not (ROOT / name).exists()]
    modules = [name for name in MODULE.findall(text) if not exists(name)]
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = [name for name in TARGET.findall(text) if f"\n{name}:" not in makefile]
    assert (links, files, modules, targets) == ([], [], [], [])


def test_every_table_of_the_database_has_an_owner(tmp_path: Path) -> None:
    database = Database(tmp_path / "new.db")
    migrations.apply(database)
    tables = {name for name in database.table_names() if not name.startswith(("_", "sqlite_"))}
    architecture = (ROOT / "docs/architecture.md").read_text("utf-8")
    assert tables <= set(TABLE.findall(architecture)), tables - set(TABLE.findall(architecture))
