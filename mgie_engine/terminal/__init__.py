"""The commands of `mgie` for people who edit pictures; those that make and measure models are in the lab."""
