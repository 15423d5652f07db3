"""Measures and categories: over periods and across regions, down to the items."""

from __future__ import annotations

from dashboard.drill import measures
from dashboard.view import current_view

measures.show(current_view())
