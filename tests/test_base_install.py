"""The wheel, started in an empty folder with the packages of a base install alone."""

import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from mgie_engine.errors import DataError
from mgie_engine.lab.optional_packages import training_package
from tests.support.base_install import ROOT, base_packages
from tests.support.bot_process import SECONDS_TO_END

SOURCES = ("bot", "conversations", "mgie_engine", "pyproject.toml", "README.md", "LICENSE")
TRAINING = {"matplotlib", "pyarrow", "tensorboard", "torchmetrics"}
OTHERS = {"gradio", "ray", "triton"}  # imported by the modules of one feature, or of one device
IMPORT_ALL = """
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        print(error.name)
"""
START = f"""
import runpy, sys
sys.path.append({str(ROOT)!r})
from tests.support.base_install import hide_others
hide_others()
sys.path.pop()
"""
RUN = f"{START}\nsys.argv = sys.argv[1:]\nrunpy.run_module(sys.argv[0], run_name='__main__')"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked; built from a copy, because setuptools writes beside the source."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        source.mkdir(exist_ok=True)
        copy(ROOT / name, source / name)
    options = ("-q", "--no-deps", "--no-build-isolation", "-w", str(folder), str(source))
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options], check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("mgie-*.whl"))) as file:
        file.extractall(folder / "unpacked")
    return folder / "unpacked"


def environment(wheel: Path, **settings: str) -> dict[str, str]:
    return {"PYTHONPATH": str(wheel), "PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **settings}


def based(wheel: Path, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the wheel in a folder."""
    started = [sys.executable, "-c", *command]
    return subprocess.run(started, cwd=folder, env=environment(wheel), capture_output=True, text=True)


def test_one_distribution_installs_three_packages(wheel: Path) -> None:
    assert {path.name for path in wheel.iterdir() if path.suffix != ".dist-info"} == {
        "bot",
        "conversations",
        "mgie_engine",
    }


def test_the_packages_of_the_lab_are_no_part_of_it() -> None:
    assert TRAINING.isdisjoint(base_packages())


def test_every_module_imports(wheel: Path, tmp_path: Path) -> None:
    files = (path.relative_to(wheel).with_suffix("") for path in wheel.glob("*/**/*.py"))
    names = sorted(".".join(file.parts) for file in files if file.name != "__main__")
    done = based(wheel, tmp_path, f"{START}{IMPORT_ALL}", *names)
    assert (done.returncode, done.stderr) == (0, "")
    assert set(done.stdout.split()) <= OTHERS


def test_a_picture_is_edited(wheel: Path, tmp_path: Path) -> None:
    sample = wheel / "bot/samples/house.png"
    arguments = ("edit", str(sample), "make it darker", "-o", "out.png", "--steps", "4")
    done = based(wheel, tmp_path, RUN, "mgie_engine.cli", *arguments)
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "out.png") as result, Image.open(sample) as original:
        assert result.size == original.size
        assert ImageChops.difference(result.convert("RGB"), original.convert("RGB")).getbbox()


def test_the_page_answers(wheel: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", RUN, "bot"]
    settings = environment(wheel, WEB_PORT="0")
    with subprocess.Popen(command, cwd=tmp_path, env=settings, stdout=subprocess.PIPE, text=True) as bot:
        try:
            found = (re.search(r"http://127\.0\.0\.1:\d+\S*", line) for line in bot.stdout)
            address = next(filter(None, found)).group()
            with urllib.request.urlopen(address) as answer:
                assert (answer.status, b"<form" in answer.read()) == (200, True)
        finally:
            bot.send_signal(signal.SIGTERM)
        assert bot.wait(SECONDS_TO_END) == 0


@pytest.mark.parametrize(
    ("use", "package"),
    [
        ("lab.charts import _figure as use; use(1, 1)", "matplotlib"),
        ("lab.data.shards import schema as use; use()", "pyarrow"),
        ("lab.evaluation.lpips import _learnt as use; use()", "torchmetrics"),
        ("lab.evaluation.image_metrics import metrics as use; use(['ssim'], None)", "torchmetrics"),
    ],
)
def test_what_needs_the_extra_names_it(wheel: Path, tmp_path: Path, use: str, package: str) -> None:
    done = based(wheel, tmp_path, f"{START}\nfrom mgie_engine.{use}")
    assert f"DataError: This needs {package}: pip install 'mgie[training]'." in done.stderr


def test_a_missing_package_is_a_data_error() -> None:
    with pytest.raises(DataError, match=r"^This needs nowhere: pip install 'mgie\[training\]'\.$"):
        training_package("nowhere.at_all")
