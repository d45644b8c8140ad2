"""argparse types: conversions that reject bad values with a clear error."""

import argparse
from pathlib import Path


def positive(text: str) -> int:
    """A whole number of at least 1."""
    return _whole_number(text, 1)


def not_negative(text: str) -> int:
    """A whole number of at least 0."""
    return _whole_number(text, 0)


def picture_file(text: str) -> Path:
    """A path to write a picture to: an existing folder, and a suffix of PNG or JPEG."""
    file = Path(text)
    if file.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise argparse.ArgumentTypeError(f"{text!r} ends neither in .png nor in .jpg")
    if not file.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {str(file.parent)!r} to write to")
    return file


def _whole_number(text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least}")
    return int(text)
