"""Messages of users on Discord: filter, images, catch-up."""
