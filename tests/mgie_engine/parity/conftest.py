import pytest
import torch

from mgie_engine.checkpoints.native import assemble
from mgie_engine.config import Behaviour
from mgie_engine.text.prompting import Prompter
from tests.mgie_engine.parity.golden import golden


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.backends.cudnn.allow_tf32 = False  # on a GPU: convolutions in fp32, as they are named
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def numbers():
    return golden()


@pytest.fixture(scope="session")
def release(numbers):
    """The tiny model, behaving as the published code."""
    return assemble(numbers.config, numbers.tokenizer, numbers.networks(), behaviour=Behaviour.RELEASE)


@pytest.fixture(scope="session")
def prompter(numbers):
    """Builds texts as the published code."""
    return Prompter(numbers.tokenizer, numbers.config.vision.tokens, behaviour=Behaviour.RELEASE)
