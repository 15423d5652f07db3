"""Checklist items: the weakest, where they are weak, and one item in full."""

from __future__ import annotations

from dashboard.drill import items
from dashboard.view import current_view

items.show(current_view())
