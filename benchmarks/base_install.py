"""The size of a base install, and the time until its page answers.

    python benchmarks/base_install.py                      # on this Python, as `make run` installs it
    python benchmarks/base_install.py --python python3.13  # the versions that pip chooses there

Builds this project's wheel, installs it with its dependencies into a new virtual environment and starts
`mgie-bot`, then `mgie edit`, in an empty folder. Prints megabytes on disk, the number of packages, the
seconds of the installation (downloads included), of the first start (bytecode is compiled) and the second,
each until the page answers, and of an edit of 4 steps. Ends in one line of JSON.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "bot/samples/house.png"
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+\S*")
MEGABYTE = 1e6


def main() -> None:
    """Install, measure, print."""
    about = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=about)
    parser.add_argument("--python", help="install for this interpreter, in the versions that pip chooses")
    parser.add_argument("--project", type=Path, default=ROOT, help="the checkout to install")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mgie-install-") as folder:
        found = measured(options.python, options.project.resolve(), Path(folder))
    print(json.dumps(found))  # noqa: T201


def measured(python: str | None, project: Path, folder: Path) -> dict[str, object]:
    """Everything that is printed. `python`: None for this interpreter and the pinned versions."""
    began = time.monotonic()
    venv = folder / "venv"
    run(python or sys.executable, "-m", "venv", str(venv))
    wheel = built(project, folder)
    for requirements in pinned(project) if python is None else ():
        pip(venv, "--require-hashes", "--no-deps", "-r", str(requirements))
    pip(venv, str(wheel), *(("--no-deps",) if python is None else ()))
    installed_s = time.monotonic() - began
    packages = next(venv.glob("lib/python3*/site-packages"))
    return {
        "python": text_of(venv / "bin/python", "-c", "import platform; print(platform.python_version())"),
        "torch": text_of(venv / "bin/python", "-c", "import torch; print(torch.__version__)"),
        "packages": len([*packages.glob("*.dist-info")]),
        "mb": megabytes(venv),
        "mb_torch": megabytes(packages / "torch")
        + megabytes(packages / "nvidia")
        + megabytes(packages / "triton"),
        "install_s": round(installed_s, 1),
        "first_answer_s": seconds_to_answer(venv, folder / "first"),
        "second_answer_s": seconds_to_answer(venv, folder / "second"),
        "edit_s": seconds_of_edit(venv, folder / "edit"),
    }


def pinned(project: Path) -> tuple[Path, Path]:
    """The requirements that `make run` installs where the CPU build of torch is offered."""
    return project / "requirements/torch-cpu.txt", project / "requirements/run.txt"


def built(project: Path, folder: Path) -> Path:
    """This project's wheel, of a copy of the files that git knows."""
    source = folder / "source"
    files = text_of("git", "-C", project, "ls-files", "--cached", "--others", "--exclude-standard")
    for name in filter(os.path.lexists, (project / line for line in files.splitlines())):
        copy = source / name.relative_to(project)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(name, copy)
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder), str(source))
    return next(folder.glob("mgie-*.whl"))


def seconds_to_answer(venv: Path, folder: Path) -> float:
    """Start the bot in an empty folder; the seconds until its page has answered."""
    folder.mkdir()
    began = time.monotonic()
    bot = subprocess.Popen(
        [venv / "bin/mgie-bot"], cwd=folder, env=environment(WEB_PORT="0"), stdout=subprocess.PIPE, text=True
    )
    try:
        assert bot.stdout is not None
        address = next(found.group() for line in bot.stdout if (found := ADDRESS.search(line)))
        with urllib.request.urlopen(address) as answer:
            assert answer.status == 200
        return round(time.monotonic() - began, 1)
    finally:
        bot.send_signal(signal.SIGTERM)
        bot.wait()


def seconds_of_edit(venv: Path, folder: Path) -> float:
    """Edit a sample in an empty folder."""
    folder.mkdir()
    began = time.monotonic()
    edit = [str(venv / "bin/mgie"), "edit", str(SAMPLE), "make it darker"]
    subprocess.run(
        [*edit, "-o", "out.png", "--steps", "4"],
        cwd=folder,
        env=environment(),
        check=True,
        capture_output=True,
    )
    assert (folder / "out.png").is_file()
    return round(time.monotonic() - began, 1)


def environment(**settings: str) -> dict[str, str]:
    """As a newcomer has it: no settings of ours, no paths to other packages."""
    return {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **settings}


def megabytes(folder: Path) -> int:
    """What the files take, a linked file counted once; 0 where there is no such folder."""
    sizes = {(at := file.lstat()).st_ino: at.st_size for file in folder.rglob("*") if not file.is_dir()}
    return round(sum(sizes.values()) / MEGABYTE)


def pip(venv: Path, *arguments: str) -> None:
    """Install into the environment, with nothing from a cache, and whatever PYTHONPATH has."""
    run(str(venv / "bin/python"), "-I", "-m", "pip", "install", "--quiet", "--no-cache-dir", *arguments)


def run(*command: str) -> None:
    """Run a program; CalledProcessError if it fails."""
    subprocess.run(command, check=True)


def text_of(*command: str | Path) -> str:
    """What a program prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main()
