"""When restoring needs the picture through the autoencoder."""

import pytest
from PIL import Image

from mgie_engine.serving.postprocess import needs_reconstruction

GREY, COLOUR = Image.new("RGB", (4, 4), (9, 9, 9)), Image.new("RGB", (4, 4), (9, 9, 8))


@pytest.mark.parametrize(
    ("picture", "keep", "needed"),
    [(COLOUR, "off", False), (GREY, "off", True), (COLOUR, "auto", True), (COLOUR, "strict", True)],
)
def test_a_reconstruction_is_made_where_something_is_compared_with_it(picture, keep, needed):
    assert needs_reconstruction(picture, keep) is needed
