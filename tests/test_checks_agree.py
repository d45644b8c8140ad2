"""The pre-commit hooks and CI run the checks of `make lint`, no others."""

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]


def lint_commands() -> list[str]:
    """The commands of the target `lint` of the Makefile."""
    _, _, rest = (ROOT / "Makefile").read_text("utf-8").partition("\nlint:")
    recipe = rest.partition("\n\n")[0].splitlines()[1:]
    return [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe]


def test_hooks_run_the_checks_of_make_lint() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    assert [hook["entry"] for hook in config["repos"][0]["hooks"]] == lint_commands()


def test_ci_runs_lint_and_every_test() -> None:
    assert (ROOT / ".ci/run").read_text("utf-8").endswith("\nmake lint\nmake test\n")
