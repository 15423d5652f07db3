"""Regions: each over time, its measures against the group, and its countries on a map."""

from __future__ import annotations

from dashboard.compare import regions
from dashboard.view import current_view

regions.show(current_view())
