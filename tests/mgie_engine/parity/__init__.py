"""Our numbers against those of the published code.

MGIE_PARITY_DIR names a folder like `published/`, MGIE_PARITY_TOKENIZER the folder of its tokenizer.
"""
