"""What every chat and the workflow exchange: events, replies, cards."""
