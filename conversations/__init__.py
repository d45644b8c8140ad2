"""Conversations, edit sessions, uploaded images, and the store that keeps them.

Plain Python; no torch, no Discord.
"""
