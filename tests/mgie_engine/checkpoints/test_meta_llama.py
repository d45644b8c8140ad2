import pytest
import torch

from mgie_engine.checkpoints.meta_llama import meta_files, read_meta
from mgie_engine.checkpoints.tensors import read_tensors
from mgie_engine.errors import ModelError
from tests.support.published import write_meta_llama

HEADS, WIDTH, POSITIONS = 2, 16, 5
HALF = WIDTH // HEADS // 2
Q = "model.layers.0.self_attn.q_proj.weight"
K = "model.layers.0.self_attn.k_proj.weight"


def heads_of(states):
    return states.view(POSITIONS, HEADS, 2 * HALF).transpose(0, 1)


def angles():
    return torch.outer(torch.arange(POSITIONS).float(), 10000.0 ** (-torch.arange(HALF) / HALF))


def turned_in_pairs(states):
    """Meta's position code: neighbours are the parts of complex numbers."""
    pairs = torch.view_as_complex(heads_of(states).unflatten(-1, (HALF, 2)))
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles()), angles())).flatten(-2)


def turned_in_halves(states):
    """The position code of transformers: the first half of a head with its second."""
    split, both = heads_of(states), torch.cat([angles(), angles()], -1)
    rotated = torch.cat([-split[..., HALF:], split[..., :HALF]], -1)
    return split * both.cos() + rotated * both.sin()


def saved(folder, **tensors):
    folder.mkdir(exist_ok=True)
    torch.save(tensors, folder / "consolidated.00.pth")
    return meta_files(folder)


def test_attention_is_that_of_metas_own_code(tmp_path):
    states, q, k = torch.randn(3, WIDTH, WIDTH, generator=torch.Generator().manual_seed(0))
    states = states[:POSITIONS]
    files = saved(tmp_path, **{f"layers.0.attention.w{n}.weight": w for n, w in (("q", q), ("k", k))})
    ours = read_meta(files, HEADS, read_tensors)
    theirs = turned_in_pairs(states @ q.T) @ turned_in_pairs(states @ k.T).mT
    found = turned_in_halves(states @ ours[Q].T) @ turned_in_halves(states @ ours[K].T).mT
    torch.testing.assert_close(found, theirs)


def test_names_are_those_of_transformers_and_nothing_else_is_changed(tmp_path):
    llama = {name: torch.randn(WIDTH, WIDTH) for name in (Q, "model.layers.11.mlp.up_proj.weight")}
    llama |= {"model.norm.weight": torch.randn(WIDTH), "lm_head.weight": torch.randn(3, WIDTH)}
    write_meta_llama(tmp_path, llama, HEADS)
    found = read_meta(meta_files(tmp_path), HEADS, read_tensors)
    assert found.keys() == llama.keys()
    assert all(torch.equal(found[name], llama[name]) for name in llama)


def test_a_larger_llama_is_refused(tmp_path):
    for name in ("consolidated.00.pth", "consolidated.01.pth"):
        (tmp_path / name).touch()
    with pytest.raises(ModelError, match="2 files consolidated"):
        read_meta(meta_files(tmp_path), HEADS, read_tensors)


def test_a_strange_tensor_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"The tensor layers\.0\.more\.weight of .* is none of LLaMA's"):
        read_meta(saved(tmp_path, **{"layers.0.more.weight": torch.ones(1)}), HEADS, read_tensors)


def test_rows_that_do_not_divide_into_heads_are_named(tmp_path):
    files = saved(tmp_path, **{"layers.0.attention.wq.weight": torch.ones(6, 6)})
    with pytest.raises(ModelError, match=r"wq.weight of shape \[6, 6\] has no 4 heads"):
        dict(read_meta(files, 4, read_tensors))


def test_code_in_a_file_of_metas_is_not_run(tmp_path):
    torch.save({"a": torch.nn.Linear(1, 1)}, tmp_path / "consolidated.00.pth")
    with pytest.raises(ModelError, match="not safe to read"):
        read_meta(meta_files(tmp_path), HEADS, read_tensors)
