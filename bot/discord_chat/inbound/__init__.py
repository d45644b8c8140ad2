"""Messages people post on Discord: filter, images, catch-up."""
