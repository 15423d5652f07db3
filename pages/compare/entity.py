"""Entity: everything about one entity."""

from __future__ import annotations

from dashboard.compare import entity
from dashboard.view import current_view

entity.show(current_view())
