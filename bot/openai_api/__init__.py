"""The HTTP API for other programs, in the form of OpenAI's image edits: `POST /v1/images/edits`."""
