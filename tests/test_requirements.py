"""`make run` installs packages pinned with hashes, in the versions that are tested, and no test tools."""

import re
import runpy
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
AGAIN = "run `make lock`"


def plain(name: str) -> str:
    """The name of a package as an index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def names(requirements: list[str]) -> set[str]:
    return {plain(re.split(r"[\[<>=!~ ]", requirement)[0]) for requirement in requirements}


def pins(file: str) -> dict[str, str]:
    found = re.findall(r"^([\w.-]+)==([\w.+]+)", (ROOT / file).read_text("utf-8"), re.MULTILINE)
    return {plain(name): version for name, version in found}


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
RUN = {**pins("requirements/run.txt"), **pins("requirements/torch.txt")}


def test_every_package_has_a_hash() -> None:
    for file in (ROOT / "requirements").glob("*.txt"):
        entries = re.split(r"\n(?=\S)", file.read_text("utf-8").strip())
        assert all("--hash=sha256:" in entry for entry in entries if not entry.startswith("#")), file.name


def test_every_dependency_is_pinned() -> None:
    assert names(PROJECT["dependencies"]) <= set(RUN), AGAIN


def test_the_versions_are_those_that_are_tested() -> None:
    tested = pins("constraints.txt")
    other = {name: version for name, version in RUN.items() if tested.get(name, version) != version}
    assert other == {}, AGAIN
    assert pins("requirements/torch-cpu.txt") == {"torch": f"{tested['torch']}+cpu"}


def test_the_cpu_build_of_torch_is_pinned_for_every_python() -> None:
    builds = runpy.run_path(str(ROOT / "requirements/lock.py"))["CPU_BUILDS"]
    allowed = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"])
    assert allowed is not None
    pythons = range(int(allowed[1]), int(allowed[2]))
    assert set(builds) == {f"cp3{minor} {machine}" for minor in pythons for machine in ("aarch64", "x86_64")}
    pinned = (ROOT / "requirements/torch-cpu.txt").read_text("utf-8")
    assert re.findall(r"--hash=sha256:(\w+)", pinned) == list(builds.values()), AGAIN


def test_no_test_tool_is_installed_for_running() -> None:
    tools = names(PROJECT["optional-dependencies"]["dev"]) - names(PROJECT["dependencies"])
    brought_along = {"httpx"}  # by libraries that are needed to run
    assert tools & set(RUN) <= brought_along
