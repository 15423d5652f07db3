"""PDCA: how far each entity is in its cycle, and what blocks it."""

from __future__ import annotations

from dashboard.act import pdca
from dashboard.view import current_view

pdca.show(current_view())
