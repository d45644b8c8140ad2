"""What was said and shown: conversations, sessions, pictures and their store.

Plain Python; no torch, no Discord.
"""
