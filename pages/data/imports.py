"""Import: drop exports, look at how they are understood, and publish them."""

from __future__ import annotations

from dashboard.access.entrance import current_reader
from dashboard.answers import find_build
from dashboard.data import imports
from dashboard.filters import current_language

imports.show(current_language(), find_build(current_reader()))
