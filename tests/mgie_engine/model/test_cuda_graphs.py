"""Where a program cannot be recorded, it runs as it is."""

import pytest
import torch

from mgie_engine.model.cuda_graphs import Graphs


class Refusing(Graphs):
    """As on a GPU whose driver does not record."""

    def __init__(self, error: Exception) -> None:
        super().__init__(torch.device("cpu"))
        self.enabled, self._error = True, error

    def _recorded(self, program):
        raise self._error


def test_without_a_gpu_a_program_stays_as_it_is():
    program = list
    assert Graphs(torch.device("cpu")).record("a list", program) is program


def test_what_cannot_be_recorded_runs_eagerly_and_is_said_once(caplog):
    graphs = Refusing(RuntimeError("operation not permitted when stream is capturing"))
    assert graphs.record("a list", list)() == []
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "a list cannot be recorded as a CUDA graph and runs eagerly"
    ]


def test_memory_that_runs_out_is_the_callers_to_answer():
    with pytest.raises(torch.OutOfMemoryError):
        Refusing(torch.OutOfMemoryError("no more")).record("a list", list)
