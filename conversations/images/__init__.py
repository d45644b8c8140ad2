"""Uploaded images: bounded decoding, normalising, storing."""
