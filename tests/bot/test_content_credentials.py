"""Files of results are signed with the operator's certificate, whichever way they leave, and validate."""

import datetime
import io
from pathlib import Path

import pytest
from PIL import Image

from bot.discord_chat.ui.attachments import HEADROOM, before_file, result_file
from bot.errors import SettingsError
from bot.openai_api.api_pictures import encoded, encoded_preview
from bot.openai_api.edit_form import EditForm
from bot.settings import Settings
from bot.web_chat.image_responses import thumbnail
from bot.web_chat.picture_downloads import as_jpeg, as_png, as_webp
from conversations.animation import AnimationFrame, animation
from conversations.content_credentials import c2pa_signer, use_signer
from conversations.images.diff_image import change_map
from conversations.images.image_store import ImageStore
from mgie_engine.serving.pictures import to_png, to_preview, to_result
from tests.support.xmp_reader import source_type

PHOTO = Image.effect_noise((96, 64), 80).convert("RGB")
UPLOAD, RESULT = to_png(PHOTO), to_result(PHOTO)
SIGNED = b"signed"


@pytest.fixture
def signed_by_appending():
    """A signer that is known by the end of its files."""
    use_signer(lambda file, media_type: file + SIGNED)
    yield
    use_signer(None)


def chosen(**settings):
    return Settings(_env_file=None, **settings)  # type: ignore[call-arg]


def form(kind):
    return EditForm.model_validate({"prompt": "darker", "output_format": kind, "size": "64x64"})


def ways_out(result):
    """Files that are made of a result, by how they leave."""
    large = to_result(Image.effect_noise((600, 400), 80).convert("RGB"))
    return {
        "discord, reduced": result_file(large, 60_000 + HEADROOM).data,
        "discord, before": before_file(result).data,
        "page, small": thumbnail(result),
        "page, changes": change_map(UPLOAD, result).webp,
        "page, PNG": as_png(result, "add snow"),
        "page, JPEG": as_jpeg(result, "add snow"),
        "page, WebP": as_webp(result, "add snow"),
        "API, PNG": encoded(result, form("png")),
        "API, JPEG": encoded(result, form("jpeg")),
        "API, WebP": encoded(result, form("webp")),
        "API, preview": encoded_preview(to_preview(PHOTO), form("png")),
        "animation": animation([AnimationFrame(UPLOAD, "v0"), AnimationFrame(result, "v1")]),
    }


@pytest.mark.usefixtures("signed_by_appending")
def test_every_file_made_of_a_result_is_signed(tmp_path):
    assert [way for way, file in ways_out(RESULT).items() if not file.endswith(SIGNED)] == []
    store = ImageStore(tmp_path)
    assert store.get(store.put_result(RESULT)).endswith(SIGNED)


@pytest.mark.usefixtures("signed_by_appending")
def test_uploads_are_not_signed():
    for file in (before_file(UPLOAD).data, thumbnail(UPLOAD), as_png(UPLOAD, ""), as_jpeg(UPLOAD, "")):
        assert not file.endswith(SIGNED)


def test_without_a_certificate_nothing_changes():
    assert as_png(RESULT, "") == RESULT
    assert chosen().signer is None


def test_a_certificate_and_a_key_need_each_other(tmp_path):
    with pytest.raises(ValueError, match="need each other"):
        chosen(c2pa_key=tmp_path / "key.pem")


# -- with the extra --


def certificates(folder: Path) -> tuple[Path, Path, str]:
    """A chain and a key as an operator has them, and the certificate of the authority, PEM."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("authority", "bot")}
    now, pem = datetime.datetime.now(datetime.UTC), {}
    for name, key in keys.items():
        is_authority = name == "authority"
        titles = x509.oid.NameOID.ORGANIZATION_NAME, x509.oid.NameOID.COMMON_NAME
        subject, issuer = (
            x509.Name([x509.NameAttribute(title, whose) for title in titles]) for whose in (name, "authority")
        )
        allowed = [not is_authority, False, False, False, False, is_authority, is_authority, False, False]
        made = (
            x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(keys["authority"].public_key()), False
            )
            .add_extension(x509.KeyUsage(*allowed), critical=True)
        )
        if not is_authority:
            usage = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.EMAIL_PROTECTION])
            made = made.add_extension(usage, critical=False)
        certificate = made.sign(keys["authority"], hashes.SHA256())
        pem[name] = certificate.public_bytes(serialization.Encoding.PEM).decode()
    (folder / "chain.pem").write_text(pem["bot"] + pem["authority"])
    form_of_key = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key_file = folder / "key.pem"
    key_file.write_bytes(keys["bot"].private_bytes(serialization.Encoding.PEM, *form_of_key))
    return folder / "chain.pem", key_file, pem["authority"]


def test_signatures_validate_and_name_a_trusted_issuer(tmp_path):
    c2pa = pytest.importorskip("c2pa", reason="needs the extra `c2pa`")
    chain, key, authority = certificates(tmp_path)
    settings = chosen(c2pa_certificate=chain, c2pa_key=key)
    context = c2pa.Context.from_dict(
        {"trust": {"trust_anchors": authority}, "verify": {"verify_trust": True}}
    )
    use_signer(settings.signer)
    try:
        store = ImageStore(tmp_path / "images")
        result = store.get(store.put_result(RESULT))
        files = {"stored": result, **ways_out(result)}
    finally:
        use_signer(None)
    states = {}
    for way, file in files.items():
        with Image.open(io.BytesIO(file)) as picture:
            media_type = f"image/{(picture.format or '').lower()}"
        states[way] = c2pa.Reader(media_type, io.BytesIO(file), context=context).get_validation_state()
        assert source_type(file) == "compositeWithTrainedAlgorithmicMedia", way
    assert states == dict.fromkeys(files, "Trusted")
    changed = bytearray(result)
    changed[-40] ^= 1  # in the pixels
    broken = c2pa.Reader("image/png", io.BytesIO(bytes(changed)), context=context)
    assert broken.get_validation_state() == "Invalid"


def test_a_certificate_that_cannot_sign_is_named_at_the_start(tmp_path):
    pytest.importorskip("c2pa", reason="needs the extra `c2pa`")
    chain, key, _ = certificates(tmp_path)
    key.write_text("no key")
    with pytest.raises(SettingsError, match="C2PA_CERTIFICATE"):
        _ = chosen(c2pa_certificate=chain, c2pa_key=key).signer
    with pytest.raises(ValueError, match="cannot be read"):
        c2pa_signer(tmp_path / "none.pem", key)
