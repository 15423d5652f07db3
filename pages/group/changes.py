"""What changed: two periods, or two moments of knowledge, side by side."""

from __future__ import annotations

from dashboard.group import changes
from dashboard.view import current_view

changes.show(current_view())
