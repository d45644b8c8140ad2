"""Conversation: a talk as a language model reads it, with LLaVA's surface and to LLaVA's letter.

A message is a string, None for the turn the model is to take, or a triple (text, picture, mode) where the
text holds "<image>" and the mode is "Pad", "Crop" or "Resize". Knows no tokens and no model.

After LLaVA's `llava/conversation.py` at commit 7ace501, with two of its slips left out: `copy` keeps
`version`, and a template's messages can be appended to at once.
"""

import base64
import io
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any, Literal, TypedDict, overload

from PIL import Image

IMAGE_TOKEN = "<image>"
PAD_COLOUR = (122, 116, 104)  # CLIP's mean colour
RESIZE_SIDE = 224
SHORT_SIDE, LONG_SIDE = 400, 800  # pixels; what a picture shown in a chat is scaled into


class SeparatorStyle(Enum):
    """How the parts of a prompt are joined."""

    SINGLE = auto()  # role: message<sep>
    TWO = auto()  # role: message, then sep after the first speaker, sep2 after the second
    MPT = auto()  # rolemessage<sep>


class ConversationDict(TypedDict):
    """A conversation as JSON; pictures are left out, their "<image>" stays."""

    system: str
    roles: list[str]
    messages: list[list[str | None]]
    offset: int
    sep: str
    sep2: str | None


@dataclass
class Conversation:
    """Who said what, and how it becomes a prompt."""

    system: str
    roles: tuple[str, str]
    messages: list[list[Any]]  # [role, message]
    offset: int  # how many leading messages are an example that is not shown
    sep_style: SeparatorStyle = SeparatorStyle.SINGLE
    sep: str = "###"
    sep2: str | None = None
    version: str = "Unknown"
    skip_next: bool = False

    def get_prompt(self) -> str:
        """The whole talk as one string, ending where the model is to go on."""
        ends = (self.sep, self.sep2 if self.sep_style is SeparatorStyle.TWO else self.sep)
        colon = "" if self.sep_style is SeparatorStyle.MPT else ":"
        parts = [self.system + self.sep]
        for place, (role, message) in enumerate(self.messages):
            if not message:
                parts.append(role + colon)
                continue
            space = " " if colon else ""
            parts.append(f"{role}{colon}{space}{_text(message)}{ends[place % 2]}")
        return "".join(parts)

    def append_message(self, role: str, message: str | tuple[str, Image.Image, str] | None) -> None:
        """Add a message at the end."""
        self.messages.append([role, message])

    @overload
    def get_images(self, return_pil: Literal[False] = False) -> list[str]: ...
    @overload
    def get_images(self, return_pil: Literal[True]) -> list[Image.Image]: ...
    @overload
    def get_images(self, return_pil: bool) -> list[str] | list[Image.Image]: ...

    def get_images(self, return_pil: bool = False) -> list[str] | list[Image.Image]:
        """The pictures of the first speaker: prepared as their mode says, then scaled to fit a chat.

        As Pillow images, or as base64 of JPEG files. ValueError for an unknown mode.
        """
        pictures = [
            _fit(_prepare(message[1], message[2]))
            for _, message in self.messages[self.offset :: 2]
            if isinstance(message, tuple)
        ]
        return pictures if return_pil else [_jpeg(picture) for picture in pictures]

    def to_gradio_chatbot(self) -> list[list[str | None]]:
        """Pairs [question, answer]; pictures stand inside the question as HTML."""
        pairs: list[list[str | None]] = []
        for place, (_, message) in enumerate(self.messages[self.offset :]):
            if place % 2:
                pairs[-1][1] = message
            else:
                pairs.append([_html(message) if isinstance(message, tuple) else message, None])
        return pairs

    def copy(self) -> "Conversation":
        """The same talk; appending to one does not change the other. Pictures are shared."""
        return replace(self, messages=[[role, message] for role, message in self.messages], skip_next=False)

    def dict(self) -> ConversationDict:
        """The talk as JSON-able values, without its pictures."""
        return {
            "system": self.system,
            "roles": list(self.roles),
            "messages": [[role, _text(message)] for role, message in self.messages],
            "offset": self.offset,
            "sep": self.sep,
            "sep2": self.sep2,
        }

    @classmethod
    def from_dict(
        cls,
        data: ConversationDict,
        *,
        sep_style: SeparatorStyle | None = None,
        version: str = "Unknown",
    ) -> "Conversation":
        """The talk that `dict` gave, up to its pictures.

        `dict` names no style; unless given, it is read off the separators: TWO where there are two, MPT for
        MPT's own, else SINGLE.
        """
        first, second = data["roles"]
        return cls(
            system=data["system"],
            roles=(first, second),
            messages=[[role, message] for role, message in data["messages"]],
            offset=data["offset"],
            sep_style=sep_style or _style_of(data),
            sep=data["sep"],
            sep2=data["sep2"],
            version=version,
        )


def _style_of(data: ConversationDict) -> SeparatorStyle:
    if data["sep2"] is not None:
        return SeparatorStyle.TWO
    return SeparatorStyle.MPT if data["sep"] == "<|im_end|>" else SeparatorStyle.SINGLE


def _text(message: Any) -> Any:
    return message[0] if isinstance(message, tuple) else message


def _prepare(picture: Image.Image, mode: str) -> Image.Image:
    picture = picture if picture.mode == "RGB" else picture.convert("RGB")
    if mode == "Pad":
        return _pad_to_square(picture)
    if mode == "Resize":
        return picture.resize((RESIZE_SIDE, RESIZE_SIDE))
    if mode == "Crop":  # cropping is left to the reader of the picture
        return picture
    raise ValueError(f"a picture's mode is Pad, Crop or Resize, not {mode!r}")


def _pad_to_square(picture: Image.Image) -> Image.Image:
    side = max(picture.size)
    square = Image.new("RGB", (side, side), PAD_COLOUR)
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return square


def _fit(picture: Image.Image) -> Image.Image:
    """Scale to at most 800 by 400 either way round, never up."""
    long, short = max(picture.size), min(picture.size)
    aspect = long / short
    short = int(min(LONG_SIDE / aspect, SHORT_SIDE, short))
    long = int(short * aspect)
    return picture.resize((short, long) if picture.height > picture.width else (long, short))


def _jpeg(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG")
    return base64.b64encode(buffer.getvalue()).decode()


def _html(message: tuple[str, Image.Image, str]) -> str:
    text, picture, _ = message
    # Labelled png though it is a JPEG: LLaVA's page does so, and browsers look at the bytes.
    data = _jpeg(_fit(picture if picture.mode == "RGB" else picture.convert("RGB")))
    return text.replace(IMAGE_TOKEN, f'<img src="data:image/png;base64,{data}" alt="user upload image" />')
