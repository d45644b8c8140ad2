"""What every test may rely on: hypothesis always draws the same examples and never judges by the clock."""

from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")
