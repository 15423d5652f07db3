"""Self-check and third-party check: the same item of the same entity, answered twice."""

from __future__ import annotations

from dashboard.drill import pairs
from dashboard.view import current_view

pairs.show(current_view())
