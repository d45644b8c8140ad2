import pytest

from mgie_engine.checkpoints.native import empty
from mgie_engine.errors import ModelError
from mgie_engine.install.full_size import FULL_SIZE
from mgie_engine.memory.loading import count
from mgie_engine.memory.modes import GIB, Mode, Parameters, choose, needed, next_lower, parse, weight_bytes

SMALL = Parameters(linears=10**7, language=10**7, largest=10**6, unet=10**7, vae=10**7, picture_size=256)


@pytest.fixture(scope="module")
def full():
    return count(empty(FULL_SIZE), FULL_SIZE)


def test_the_7b_is_counted_without_loading_it(full):
    assert full.unet == 859_532_484
    assert full.linears == 32 * (4 * 4096**2 + 3 * 4096 * 11008)
    assert full.largest == 32011 * 4096


@pytest.mark.parametrize(
    ("card", "mode"), [(24, Mode.FP16), (16, Mode.INT8), (10, Mode.NF4), (8, Mode.SWAP), (5, Mode.OFFLOAD)]
)
def test_a_card_gets_the_best_mode_that_fits(full, card, mode):
    assert choose(full, "cuda", card * GIB) is mode


@pytest.mark.parametrize(("ram", "mode"), [(64, Mode.BF16), (20, Mode.BF16), (14, Mode.INT8)])
def test_the_7b_on_a_cpu_is_never_kept_in_fp32(full, ram, mode):
    assert choose(full, "cpu", ram * GIB) is mode


def test_a_small_model_on_a_cpu_is_kept_in_fp32():
    assert choose(SMALL, "cpu", 8 * GIB) is Mode.FP32


def test_a_cpu_that_is_quick_with_bf16_paints_a_small_model_in_it(full):
    assert choose(SMALL, "cpu", 8 * GIB, quick_bf16=True) is Mode.MIXED
    assert choose(full, "cpu", 64 * GIB, quick_bf16=True) is Mode.BF16
    assert next_lower(Mode.MIXED, SMALL, "cpu") is Mode.BF16
    assert weight_bytes(SMALL, Mode.MIXED, "cpu") == (4 + 4 + 2 + 2) * 10**7


def test_where_nothing_fits_it_is_said_how_much_would_do(full):
    with pytest.raises(ModelError, match=r"at least 2\.\d GB of free memory on cuda, and 1\.1 GB is"):
        choose(full, "cuda", GIB)


def test_every_lower_mode_needs_less(full):
    mode: Mode | None = Mode.FP16
    needs = []
    while mode:
        needs.append(needed(full, mode, "cuda"))
        mode = next_lower(mode, full, "cuda")
    assert needs == sorted(needs, reverse=True)
    assert len(needs) == 5


def test_a_mode_wished_for_beside_the_ladder_has_a_lower_one_too(full):
    assert next_lower(Mode.BF16, full, "cuda") is Mode.INT8
    assert next_lower(Mode.INT8, full, "cpu") is None


def test_quantised_linears_take_a_half_and_a_quarter(full):
    half = weight_bytes(full, Mode.FP16, "cuda")
    assert half - weight_bytes(full, Mode.INT8, "cuda") == pytest.approx(full.linears, rel=0.01)
    assert half - weight_bytes(full, Mode.NF4, "cuda") == pytest.approx(full.linears * 23 / 16, rel=0.01)


def test_modes_go_by_their_names():
    assert parse("auto", Mode, "memory mode") is None
    assert parse("nf4", Mode, "memory mode") is Mode.NF4
    with pytest.raises(
        ModelError, match="no memory mode 'int4'; there is auto, fp32, mixed, fp16, bf16, int8, nf4"
    ):
        parse("int4", Mode, "memory mode")
