"""A drawn world with ground truth: scenes, their edits, the words for them, and the pictures."""
