"""Editing examples: from public layouts, through two language models, into files that training streams."""
