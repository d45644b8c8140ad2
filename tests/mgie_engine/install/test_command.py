"""The commands as people type them; downloading has its own tests."""

import json
from typing import Any

import pytest
import torch

from mgie_engine.checkpoints import native
from mgie_engine.cli import main
from mgie_engine.config import resolve_model
from tests.support.published import write_release
from tests.support.tiny_model import model


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home that holds a release."""
    monkeypatch.setenv("MGIE_HOME", str(tmp_path))
    monkeypatch.delenv("MGIE_MEMORY", raising=False)
    (tmp_path / "mgie-7b").mkdir()
    write_release(tmp_path / "mgie-7b", model())
    return tmp_path


def test_a_release_is_converted_extracted_and_joined_again(home, capsys):
    assert main(["convert", "mgie-7b"]) == 0
    assert main(["extract", "mgie-7b", "-o", str(home / "pair")]) == 0
    assert main(["convert", str(home / "pair"), "--onto", "mgie-7b", "-o", str(home / "joined")]) == 0
    assert "shards" in capsys.readouterr().out
    assert (home / "pair" / "mgie_7b" / "unet.pt").is_file()
    tensors = [native.read_model(resolve_model(name, home)).tensors for name in ("mgie-7b", "joined")]
    assert tensors[0].keys() == tensors[1].keys()
    assert all(torch.equal(tensors[0][name], tensors[1][name]) for name in tensors[0])


def test_a_training_run_is_extracted_too(home, tmp_path):
    run = tmp_path / "run"
    (run / "checkpoint-10").mkdir(parents=True)
    tensors = dict(native.read_model(resolve_model("mgie-7b", home)).tensors)
    torch.save(tensors, run / "checkpoint-10" / "pytorch_model-00001-of-00001.bin")
    assert main(["extract", str(run), "-o", str(home / "pair")]) == 0
    old, new = (
        torch.load(folder / "mgie_7b" / "mllm.pt", weights_only=True)
        for folder in (home / "mgie-7b", home / "pair")
    )
    assert old.keys() == new.keys()


def test_the_doctor_says_that_it_can_run(home, capsys):
    assert main(["doctor", "mgie-7b", "--device", "cpu", "--memory", "bf16"]) == 0
    out = capsys.readouterr().out
    assert "Chosen: bf16 (as requested)." in out
    assert out.endswith("✓ mgie-7b can run here.\n")


def test_the_doctor_ends_with_1_when_something_is_missing(home, capsys):
    (home / "mgie-7b" / "mgie_7b" / "unet.pt").unlink()
    assert main(["doctor", "mgie-7b", "--device", "cpu"]) == 1
    told = capsys.readouterr()
    assert "✗ mgie_7b/unet.pt is missing" in told.out
    assert told.err.startswith("mgie: mgie-7b cannot run here yet: 1 of the lines above")


def test_the_doctor_looks_at_the_chosen_model_and_else_at_the_bundled_one(home, capsys, monkeypatch):
    assert main(["doctor", "--device", "cpu"]) == 0
    assert capsys.readouterr().out.endswith("✓ mgie-mini can run here.\n")
    monkeypatch.setenv("MGIE_MODEL", "mgie-7b")
    (home / "mgie-7b" / "mgie_7b" / "unet.pt").unlink()
    assert main(["doctor", "--device", "cpu"]) == 1


def test_with_json_every_command_prints_one_line(home, tmp_path, capsys):
    def facts(*command: str) -> dict[str, Any]:
        assert main([*command, "--json"]) == 0
        (line,) = capsys.readouterr().out.splitlines()
        found: dict[str, Any] = json.loads(line)
        return found

    found = facts("doctor", "mgie-7b", "--device", "cpu", "--memory", "bf16")
    assert (found["model"], found["can_run"]) == ("mgie-7b", True)
    assert {"sentence": "Chosen: bf16 (as requested).", "is_blocking": False} in found["findings"]
    assert facts("convert", "mgie-7b", "-o", str(tmp_path / "new"))["bytes"] > 0
    assert len(facts("extract", "mgie-7b", "-o", str(tmp_path / "pair"))["files"]) == 2


def test_the_doctor_ends_with_1_also_with_json(home, capsys):
    (home / "mgie-7b" / "mgie_7b" / "unet.pt").unlink()
    assert main(["doctor", "mgie-7b", "--device", "cpu", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["can_run"] is False


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (["download", "gpt"], "Only mgie-7b can be downloaded"),
        (["convert", "mgie-7b", "--onto", "mgie-7b"], "say with -o"),
        (["convert", "mgie-mini"], "say with -o"),
        (["extract", "nowhere", "-o", "x"], "No model 'nowhere'"),
        (["doctor", "--memory", "int4"], "no memory mode 'int4'"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(home, capsys, command, complaint):
    assert main(command) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line
