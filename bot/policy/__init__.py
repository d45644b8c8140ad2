"""Limits, server settings and image hashes."""
