"""Generated scenes with ground truth: objects, edits, instructions and pictures."""
