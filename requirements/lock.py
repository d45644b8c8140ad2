"""Write the files beside this one: exact versions with hashes of everything that `make run` installs.

    make lock        # runs this with the pinned uv

Versions come from constraints.txt, hashes from the package index. torch has files of its own: which build of
it suits depends on the machine, and the CUDA libraries are needed by some builds only.
"""

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
HEADER = "# Written by `make lock`; do not edit.\n"
BUILD = "setuptools>=77\n"  # builds this package itself
# The CPU build of torch 2.13.0 for Python 3.11 on x86_64 Linux, which the index does not list.
CPU_BUILD = "sha256:6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b"
CUDA = re.compile(r"(nvidia-|cuda-|triton)")


def main() -> None:
    """Resolve, split and write."""
    entries = list(filter(None, re.split(r"\n(?=\S)", resolved().strip())))
    torch = [entry for entry in entries if entry.startswith("torch==")]
    cuda = [entry for entry in entries if CUDA.match(entry)]
    others = [entry for entry in entries if entry not in torch and entry not in cuda]
    write("torch.txt", torch)
    write("torch-cpu.txt", [f"{entry.split()[0]}+cpu --hash={CPU_BUILD}" for entry in torch])
    write("cuda.txt", cuda)
    write("run.txt", others)


def resolved() -> str:
    """Every package with its hashes, for all systems and Pythons that pyproject.toml allows."""
    options = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-annotate", "--no-header")
    command = [
        "pip",
        "compile",
        "pyproject.toml",
        "-",
        "--constraint",
        "constraints.txt",
        *options,
        "--quiet",
    ]
    uv = Path(sys.executable).with_name("uv")
    done = subprocess.run(
        [uv, *command], input=BUILD, text=True, stdout=subprocess.PIPE, cwd=HERE.parent, check=True
    )
    return done.stdout


def write(name: str, entries: list[str]) -> None:
    """One file of requirements."""
    (HERE / name).write_text(HEADER + "".join(f"{entry}\n" for entry in entries), encoding="utf-8")


if __name__ == "__main__":
    main()
