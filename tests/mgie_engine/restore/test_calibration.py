"""Which thresholds a model gets, and what the ones for unmeasured models leave alone."""

import numpy as np
import pytest
from PIL import Image

from mgie_engine.config import BUNDLED, ModelConfig, ModelLocation, read_config
from mgie_engine.restore import calibration_for, restore
from mgie_engine.restore.calibration import MGIE_MINI, UNCALIBRATED
from tests.mgie_engine.restore.test_sharpening import coded, leaves, probe_of, sharpened
from tests.support.restored_pictures import SQUARE, as_seen, drawing, noisy


def test_the_bundled_model_has_thresholds_of_its_own():
    bundled = read_config(ModelLocation("mgie-mini", BUNDLED / "mgie-mini", "ours"))
    assert calibration_for(bundled.name) is MGIE_MINI


@pytest.mark.parametrize("name", [ModelConfig().name, "a folder", ""])
def test_a_model_that_nobody_measured_has_conservative_thresholds(name: str):
    assert calibration_for(name) is UNCALIBRATED


def test_relevance_discards_no_edit_of_an_unmeasured_model():
    picture = drawing()
    seen, painted = as_seen(picture), noisy(as_seen(drawing(star=True)))
    elsewhere = np.full((SQUARE // 8, SQUARE // 8), 1e-3, np.float32)
    elsewhere[:, :4] = 1.0

    def share_changed(model: str) -> float:
        return restore(
            picture, seen, painted, relevance=elsewhere, calibration=calibration_for(model)
        ).changed

    assert share_changed("mgie-mini") == 0
    assert share_changed("mgie-7b") > 0.02


def test_a_slight_sharpening_by_an_unmeasured_model_is_not_believed():
    picture = leaves()
    painted, probe = coded(sharpened(picture, 0.33)), probe_of(picture)

    def delivered(model: str) -> Image.Image:
        return restore(
            picture,
            picture,
            painted,
            reconstruction=coded(picture),
            probe=probe,
            calibration=calibration_for(model),
        ).picture

    assert delivered("mgie-mini").tobytes() != picture.tobytes()
    assert delivered("mgie-7b").tobytes() == picture.tobytes()
