"""MGIE from Python: an editor, its async form, and a pipeline in the manner of diffusers."""
