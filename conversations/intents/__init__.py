"""What a message asks for: an edit, a text command, help, or nothing. Pure; the words are in `words/`."""
