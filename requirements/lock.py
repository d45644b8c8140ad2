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
# The CPU builds of torch 2.13.0 for Linux; PyPI lists none, https://download.pytorch.org/whl/cpu/torch/ does.
CPU_BUILDS = {
    "cp311 aarch64": "84453b69508ec79902f899c5ed9495acb9e2bbe9fda5f1d5d6f19e3c3842e1a7",
    "cp311 x86_64": "6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b",
    "cp312 aarch64": "6f307c2c32d764ffc6ff6893b801fad6d4752f3e67966cb8abf1843427c02604",
    "cp312 x86_64": "4ca4a9394b0c771238a4f73590fdbbc4debad85ed0fa63d026ae1b085da7d6e2",
    "cp313 aarch64": "0b8f7d0423027ae8b90c7977c627f3379f325363a08224dffad9b4b2d684a83d",
    "cp313 x86_64": "3fbf9c9d1f3c10c2d59d04aca426dee9ccc6ceb32d255c61e93acc3b4f75fae6",
}
CUDA = re.compile(r"(nvidia-|cuda-|triton)")


def main() -> None:
    """Resolve, split and write."""
    entries = list(filter(None, re.split(r"\n(?=\S)", resolved().strip())))
    torch = [entry for entry in entries if entry.startswith("torch==")]
    cuda = [entry for entry in entries if CUDA.match(entry)]
    others = [entry for entry in entries if entry not in torch and entry not in cuda]
    write("torch.txt", torch)
    hashes = "".join(f" \\\n    --hash=sha256:{digest}" for digest in CPU_BUILDS.values())
    write("torch-cpu.txt", [f"{entry.split()[0]}+cpu{hashes}" for entry in torch])
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
