"""What LLaVA's record does not show of Conversation."""

import base64
import io

import pytest
from PIL import Image

from conversations.llava.conversation import Conversation, SeparatorStyle
from conversations.llava.templates import conv_templates, template


def talk_with(mode: str, image: Image.Image) -> Conversation:
    talk = template("vicuna_v1_1")
    talk.append_message(talk.roles[0], ("look\n<image>", image, mode))
    return talk


def test_a_template_is_fresh_every_time() -> None:
    template("v1").append_message("Human", "hello")
    assert len(template("v1").messages) == 2


def test_a_template_can_be_appended_to_at_once() -> None:
    talk = conv_templates["mpt"].copy()
    talk.append_message(talk.roles[0], "hello")
    assert talk.get_prompt().endswith("<|im_start|>user\nhello<|im_end|>")


def test_the_templates_themselves_cannot_be_replaced() -> None:
    with pytest.raises(TypeError):
        conv_templates["v1"] = template("mpt")  # type: ignore[index]


def test_an_unknown_template_names_the_known_ones() -> None:
    with pytest.raises(KeyError, match="no template 'v9'; there are default, simple, "):
        template("v9")


def test_a_copy_does_not_share_its_messages() -> None:
    talk = template("v1")
    talk.copy().messages[0][1] = "changed"
    assert talk.messages[0][1] != "changed"


def test_resize_makes_a_square_of_224() -> None:
    [picture] = talk_with("Resize", Image.new("RGB", (640, 360))).get_images(return_pil=True)
    assert picture.size == (224, 224)


def test_pad_centres_the_picture_on_the_mean_colour() -> None:
    [picture] = talk_with("Pad", Image.new("RGB", (300, 100), "white")).get_images(return_pil=True)
    assert picture.size == (300, 300)
    assert picture.getpixel((150, 20)) == (122, 116, 104)
    assert picture.getpixel((150, 150)) == (255, 255, 255)


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="Pad, Crop or Resize, not 'Stretch'"):
        talk_with("Stretch", Image.new("RGB", (9, 9))).get_images()


@pytest.mark.parametrize("mode", ["RGBA", "P", "L", "CMYK"])
def test_a_picture_of_any_mode_can_be_shown(mode: str) -> None:
    talk = talk_with("Pad", Image.new(mode, (40, 20)))
    [text] = talk.get_images()
    assert Image.open(io.BytesIO(base64.b64decode(text))).size == (40, 40)
    [[cell, _]] = talk.to_gradio_chatbot()
    assert cell is not None
    assert cell.startswith('look\n<img src="data:image/png;base64,')


def test_the_style_given_wins_over_the_one_read_off() -> None:
    talk = Conversation.from_dict(template("v1").dict(), sep_style=SeparatorStyle.MPT, version="mine")
    assert (talk.sep_style, talk.version) == (SeparatorStyle.MPT, "mine")
