"""`mgie completion`: the bash script completes in a real bash; the others are not empty."""

import subprocess
from pathlib import Path

import pytest

from mgie_engine.cli import main
from mgie_engine.terminal.completion_command import SHELLS


@pytest.fixture(scope="module")
def scripts() -> dict[str, str]:
    found = {}
    for shell in SHELLS:
        with pytest.MonkeyPatch.context() as patch:
            written: list[str] = []
            patch.setattr("sys.stdout.write", written.append)
            assert main(["completion", shell]) == 0
            found[shell] = "".join(written)
    return found


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["mgie", "do"], {"doctor", "download"}),
        (["mgie", "edit", "--tex"], {"--text-cfg"}),
        (["mgie", "edit", "in.png", "darker", "--sampler", "d"], {"dpmpp_2m"}),
        (["mgie", "scenes", "render", "--co"], {"--count"}),
    ],
)
def test_bash_completes(scripts: dict[str, str], tmp_path: Path, words: list[str], expected: set[str]):
    (tmp_path / "mgie.bash").write_text(scripts["bash"])
    asked = " ".join(f"'{word}'" for word in words)
    code = f"source mgie.bash; COMP_WORDS=({asked}); COMP_CWORD={len(words) - 1}; _shtab_mgie; "
    code += 'printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == expected


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_has_a_script_with_the_commands(scripts: dict[str, str], shell: str):
    assert all(name in scripts[shell] for name in ("edit", "doctor", "scenes"))
