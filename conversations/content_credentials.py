"""Content Credentials (C2PA): a signed statement in a picture file that a trained model edited it.

Anybody can write the XMP mark (`ai_mark`); this one is signed with the operator's certificate, for the bytes
of the file. It is put on results when they are stored and on every other file that is made of one, by
whatever way it leaves. The signer is the process's, as the writers of files are many and none has settings.
"""

import importlib.util
import io
from collections.abc import Callable
from pathlib import Path

from PIL import Image

Sign = Callable[[bytes, str], bytes]  # a file and its media type
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
MANIFEST = {
    "claim_generator_info": [{"name": "mgie-bot"}],
    "assertions": [
        {
            "label": "c2pa.actions.v2",
            "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE}]},
        }
    ],
}
# Without a thumbnail, which would show the picture again in a file that somebody crops or blurs.
_SETTINGS = {"builder": {"thumbnail": {"enabled": False}}}
_signers: list[Sign] = []


def is_installed() -> bool:
    """Whether the extra `c2pa` is there."""
    return importlib.util.find_spec("c2pa") is not None


def use_signer(sign: Sign | None) -> None:
    """Sign every marked file of this process from now on; None: none."""
    _signers[:] = [] if sign is None else [sign]


def with_credentials(file: bytes, kind: str) -> bytes:
    """A PNG, JPEG or WEBP file with a signed statement, if there is a signer; else the same. Blocks."""
    return _signers[0](file, f"image/{kind.lower()}") if _signers else file


def c2pa_signer(certificate: Path, key: Path, algorithm: str = "es256") -> Sign:
    """Signs with a chain of certificates and a private key, both PEM files. ValueError if it cannot.

    No authority for timestamps is asked: nothing leaves this machine.
    """
    import c2pa

    try:
        chain, secret = certificate.read_bytes(), key.read_bytes()
    except OSError as error:
        raise ValueError(f"{error.filename} cannot be read: {error.strerror}") from error

    def sign(file: bytes, media_type: str) -> bytes:
        signed = io.BytesIO()
        info = c2pa.C2paSignerInfo(algorithm, chain, secret, None)
        context = c2pa.Context.from_dict(_SETTINGS)
        with c2pa.Signer.from_info(info) as signer, c2pa.Builder(MANIFEST, context=context) as builder:
            builder.sign(signer, media_type, io.BytesIO(file), signed)
        return signed.getvalue()

    tried = io.BytesIO()
    Image.new("RGB", (8, 8)).save(tried, "PNG")
    try:
        sign(tried.getvalue(), "image/png")
    except c2pa.C2paError as error:
        raise ValueError(f"the certificate and key cannot sign: {error}") from error
    return sign
