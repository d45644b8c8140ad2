"""Pictures as the API hands them out: in the format and size that were asked for."""

import io

from PIL import Image, ImageOps

from bot.openai_api.edit_form import EditForm
from conversations.ai_mark import file_like

WEBP_METHOD = 2  # 0 to 6; more takes longer for a few per cent


def encoded(png: bytes, form: EditForm) -> bytes:
    """A stored picture in the format and size of the form; the same bytes where that is PNG. Blocks."""
    if form.output_format == "png" and form.sides is None:
        return png
    with Image.open(io.BytesIO(png)) as picture:
        return _saved(picture, picture if form.sides is None else ImageOps.fit(picture, form.sides), form)


def encoded_preview(webp: bytes, form: EditForm) -> bytes:
    """A preview in the format of the form. Blocks."""
    with Image.open(io.BytesIO(webp)) as picture:
        return _saved(picture, picture, form)


def _saved(source: Image.Image, picture: Image.Image, form: EditForm) -> bytes:
    """`source`: the opened file, whose mark the picture keeps."""
    quality = form.output_compression
    match form.output_format:
        case "png":
            return file_like(source, picture, "PNG")
        case "jpeg":
            return file_like(source, picture.convert("RGB"), "JPEG", quality=max(1, quality))
        case "webp":
            lossless = quality == 100
            return file_like(source, picture, "WEBP", quality=quality, lossless=lossless, method=WEBP_METHOD)
