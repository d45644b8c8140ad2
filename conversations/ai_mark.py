"""The mark of pictures that a model edited: XMP with IPTC's DigitalSourceType, in PNG, JPEG and WebP files.

https://cv.iptc.org/newscodes/digitalsourcetype/ names the value: a picture that was taken or drawn, and
changed by a trained model.
"""

import io
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from conversations.content_credentials import SOURCE_TYPE, with_credentials

XMP = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"/></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""
_PNG_KEY = "XML:com.adobe.xmp"


def is_marked(picture: Image.Image) -> bool:
    """Whether the file that the picture was opened from has the mark."""
    found = picture.info.get("xmp") or picture.info.get(_PNG_KEY) or b""
    return SOURCE_TYPE.encode() in (found.encode() if isinstance(found, str) else found)


def marked_file(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """The picture as a PNG, JPEG or WEBP file with the mark; options as for Pillow. Blocks."""
    return _file(picture, kind, options | _mark(kind))


def quickly_marked_png(picture: Image.Image, cores: int = 1) -> bytes:
    """An RGB or RGBA picture as a PNG file with the mark, written quickly on several cores. Blocks."""
    from conversations.quick_png import quick_png  # numpy, which few who mark a file need

    text = _mark("PNG")["pnginfo"]
    return quick_png(picture, cores, [(kind, data) for kind, data, *_ in text.chunks])


def file_like(source: Image.Image, picture: Image.Image, kind: str, **options: Any) -> bytes:
    """The picture, made of an opened file, as a file that has the mark if that one has it. Blocks.

    What has the mark also has the credentials of the operator, if they are set.
    """
    if not is_marked(source):
        return _file(picture, kind, options)
    return with_credentials(_file(picture, kind, options | _mark(kind)), kind)


def _mark(kind: str) -> dict[str, Any]:
    if kind != "PNG":
        return {"xmp": XMP.encode()}
    text = PngInfo()
    text.add_itxt(_PNG_KEY, XMP)
    return {"pnginfo": text}


def _file(picture: Image.Image, kind: str, options: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()
