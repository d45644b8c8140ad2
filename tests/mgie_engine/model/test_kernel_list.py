"""The noted launches of our kernels name kernels that there are."""

import ast
import json
from importlib.util import find_spec
from pathlib import Path

from mgie_engine.model.kernel_list import LIST


def parameters(module, kernel):
    """The names of a kernel's parameters; Triton itself need not be there."""
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text())
    (found,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == kernel]
    return [argument.arg for argument in found.args.args]


def test_every_note_fits_its_kernel():
    notes = json.loads(LIST.read_text())
    assert notes
    for note in notes:
        names = parameters(note["module"], note["kernel"])
        given = names[: len(note["arguments"])]
        constants = set(note["options"]) - {"num_warps", "num_stages"}
        assert set(names) - set(given) == constants, note


def test_all_modules_of_kernels_are_noted():
    modules = {note["module"].rsplit(".", 1)[1] for note in json.loads(LIST.read_text())}
    kernels = {path.stem for path in LIST.parent.glob("triton_*.py")} - {"triton_launch"}
    assert modules == kernels
