"""MGIE's networks and the mathematics between them. Knows nothing of requests, queues or chats."""
