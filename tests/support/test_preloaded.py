"""A preloaded command has its own folder, arguments, streams and exit code, like any program."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.preloaded import preloaded


@pytest.fixture
def tidy(tmp_path: Path) -> Iterator[Path]:
    with preloaded(tmp_path / "bin", "tidy", "json.tool:main") as command:
        yield command


def test_it_reads_and_writes_where_it_is_started(tidy: Path, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text('{"a":1}')
    subprocess.run([tidy, "--compact", "in.json", "out.json"], cwd=tmp_path, check=True)
    assert (tmp_path / "out.json").read_text() == '{"a":1}\n'
    done = subprocess.run([tidy, "--compact"], input="[1, 2]", capture_output=True, text=True, check=True)
    assert done.stdout == "[1,2]\n"


def test_its_failure_is_the_callers(tidy: Path) -> None:
    done = subprocess.run([tidy], input="[1, ", capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Expecting value")
