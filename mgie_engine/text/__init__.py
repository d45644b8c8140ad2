"""Tokenizer, prompts and clean-up of generated text."""
