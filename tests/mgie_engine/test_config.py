from dataclasses import replace

import pytest

from mgie_engine.config import ModelConfig, NoiseSchedule, VisionSizes, resolve_model
from mgie_engine.errors import ModelError

CONFIG = ModelConfig(
    name="small",
    vision=VisionSizes(image_size=128, patch_size=16),
    unet={"block_out_channels": [32, 64]},
    vae={"latent_channels": 8, "scaling_factor": 0.5},
    noise=NoiseSchedule(prediction_type="v_prediction"),
    preview=((0.1, 0.2, 0.3), (0.0, 0.0, 0.0)),
)


def test_a_configuration_survives_json():
    assert ModelConfig.from_json(CONFIG.to_json()) == CONFIG


def test_a_picture_takes_one_token_per_patch():
    assert CONFIG.vision.tokens == 64
    assert VisionSizes().tokens == 256


def test_what_is_left_out_has_its_default():
    assert ModelConfig.from_json('{"format": "mgie-1", "name": "x"}').max_new_tokens == 96


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "not JSON"),
        ("[]", "object"),
        ('{"name": "x"}', "format"),
        ('{"format": "mgie-1", "colour": 1}', "unknown key 'colour'"),
        ('{"format": "mgie-1", "noise": {"betas": 1}}', "config.json: noise has the unknown key 'betas'"),
        ('{"format": "mgie-1", "noise": 3}', "should be an object"),
    ],
)
def test_a_wrong_configuration_is_named(text, complaint):
    with pytest.raises(ModelError, match=complaint):
        ModelConfig.from_json(text)


def test_a_model_is_found_by_name_below_the_home(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text(replace(CONFIG).to_json())
    found = resolve_model("mine", tmp_path)
    assert (found.name, found.layout) == ("mine", "ours")


def test_a_released_folder_is_known_by_its_differentials(tmp_path):
    (tmp_path / "mgie_7b").mkdir()
    (tmp_path / "mgie_7b" / "mllm.pt").touch()
    assert resolve_model(str(tmp_path)).layout == "released"


def test_an_unknown_model_names_the_places_looked_at(tmp_path):
    with pytest.raises(ModelError, match=str(tmp_path / "nothing")):
        resolve_model("nothing", tmp_path)
