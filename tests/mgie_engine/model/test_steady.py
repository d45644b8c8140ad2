"""Convolutions and products of one kernel for all batches; the kernels themselves need a GPU."""

import pytest
import torch
import torch.nn.functional as F

from mgie_engine.model import steady


@pytest.mark.parametrize("stride", [1, 2])
def test_a_convolution_is_the_library_s(stride):
    x, weight, bias = torch.randn(3, 4, 6, 6), torch.randn(5, 4, 3, 3), torch.randn(5)
    found = steady.convolve(x, weight, bias, stride, 1)
    torch.testing.assert_close(found, F.conv2d(x, weight, bias, stride, 1))


def test_a_product_is_added_where_it_is():
    total, x, weight = torch.randn(2, 3, 5), torch.randn(2, 3, 4), torch.randn(5, 4)
    expected = total + x @ weight.T
    steady.add_product(total, x, weight)
    torch.testing.assert_close(total, expected)


def test_rows_of_zeros_are_put_below():
    x = torch.randn(2, 4, 3, 3).contiguous(memory_format=torch.channels_last)
    padded = steady._with_rows(x, 5)
    assert torch.equal(padded[:2], x)
    assert not padded[2:].any()
    assert padded.is_contiguous(memory_format=torch.channels_last)
