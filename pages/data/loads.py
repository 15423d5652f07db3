"""Loads: what was taken in, what was refused and why."""

from __future__ import annotations

from dashboard.data import loads
from dashboard.view import current_view

loads.show(current_view())
