import pickle

import pytest
import torch
from safetensors.torch import save_file

from mgie_engine.checkpoints.tensors import as_stored, dequantised, quantised, read_tensors, write_shards
from mgie_engine.errors import ModelError

GENERATOR = torch.Generator().manual_seed(0)
WEIGHT = torch.randn(6, 5, 3, generator=GENERATOR) * torch.logspace(-4, 1, 6).view(-1, 1, 1)


def test_int8_weights_are_within_half_a_step_of_each_channel():
    back = dequantised(quantised("w", WEIGHT))["w"]
    step = WEIGHT.flatten(1).abs().amax(1) / 127
    assert ((back - WEIGHT).abs().flatten(1).amax(1) <= 0.51 * step + 1e-7).all()


def test_a_channel_of_zeros_stays_zero():
    assert dequantised(quantised("w", torch.zeros(2, 3)))["w"].abs().max() == 0


def test_only_tensors_with_more_than_one_axis_become_int8():
    assert as_stored("w", WEIGHT, "int8")["w"].dtype == torch.int8
    assert as_stored("b", WEIGHT[:, 0, 0], "int8")["b"].dtype == torch.float16


@pytest.mark.parametrize("scale", [{}, {"w.scale": torch.ones(3)}])
def test_a_scale_that_is_missing_or_does_not_fit_is_named(scale):
    with pytest.raises(ModelError, match=r"w\.scale"):
        dequantised({"w": torch.ones(2, 2, dtype=torch.int8)} | scale)


def test_shards_stay_below_the_limit_and_keep_a_weight_with_its_scale(tmp_path):
    groups = [quantised(f"w{i}", torch.randn(40, 25, generator=GENERATOR)) for i in range(20)]
    files = write_shards(groups, tmp_path, limit=6000)
    assert len(files) > 3
    assert max(file.stat().st_size for file in files) <= 6000
    for file in files:
        names = read_tensors([file]).keys()
        assert {f"{name}.scale" for name in names if not name.endswith(".scale")} <= names
    assert read_tensors(files).keys() == {name for group in groups for name in group}


def test_a_missing_file_is_named(tmp_path):
    for name in ("a.safetensors", "a.pt"):
        with pytest.raises(ModelError, match=f"{name} is missing"):
            read_tensors([tmp_path / name])


def test_a_truncated_file_is_named(tmp_path):
    torch.save({"w": WEIGHT}, tmp_path / "a.pt")
    save_file({"w": WEIGHT}, tmp_path / "a.safetensors")
    for file in list(tmp_path.iterdir()):
        file.write_bytes(file.read_bytes()[:-60])
        with pytest.raises(ModelError, match=f"{file.name} is damaged"):
            read_tensors([file])


class Evil:
    def __reduce__(self):
        return print, ("this must not run",)


@pytest.mark.parametrize(
    "write", [torch.save, lambda data, file: file.write_bytes(pickle.dumps(data, protocol=2))]
)
def test_code_in_a_file_is_not_run(tmp_path, write, capsys):
    write({"w": Evil()}, tmp_path / "a.bin")
    with pytest.raises(ModelError, match="not safe to read"):
        read_tensors([tmp_path / "a.bin"])
    assert not capsys.readouterr().out


def test_a_file_without_names_is_refused(tmp_path):
    torch.save([WEIGHT], tmp_path / "a.pt")
    with pytest.raises(ModelError, match="holds list"):
        read_tensors([tmp_path / "a.pt"])


def test_files_of_old_versions_of_torch_are_read(tmp_path):
    torch.save({"w": WEIGHT}, tmp_path / "a.bin", _use_new_zipfile_serialization=False)
    assert torch.equal(read_tensors([tmp_path / "a.bin"])["w"], WEIGHT)
