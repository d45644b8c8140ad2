"""Pictures as the API hands them out: in the format and size that were asked for."""

import io

from PIL import Image, ImageOps

from bot.openai_api.edit_form import EditForm

WEBP_METHOD = 2  # 0 to 6; more takes longer for a few per cent


def encoded(png: bytes, form: EditForm) -> bytes:
    """A stored picture in the format and size of the form; the same bytes where that is PNG. Blocks."""
    if form.output_format == "png" and form.sides is None:
        return png
    with Image.open(io.BytesIO(png)) as picture:
        return _saved(picture if form.sides is None else ImageOps.fit(picture, form.sides), form)


def encoded_preview(webp: bytes, form: EditForm) -> bytes:
    """A preview in the format of the form. Blocks."""
    with Image.open(io.BytesIO(webp)) as picture:
        return _saved(picture, form)


def _saved(picture: Image.Image, form: EditForm) -> bytes:
    file = io.BytesIO()
    match form.output_format:
        case "png":
            picture.save(file, "PNG")
        case "jpeg":
            picture.convert("RGB").save(file, "JPEG", quality=max(1, form.output_compression))
        case "webp":
            is_lossless = form.output_compression == 100
            picture.save(
                file, "WEBP", quality=form.output_compression, lossless=is_lossless, method=WEBP_METHOD
            )
    return file.getvalue()
