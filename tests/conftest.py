"""Settings of all tests."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes says more about the machine than about the code; the same examples at every run, so that a
# failure is the change's and no chance's.
settings.register_profile("tenken", deadline=None, derandomize=True)
settings.load_profile("tenken")
