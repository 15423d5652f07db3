"""Plan and coverage: what was to be inspected, what was, and who has not reported."""

from __future__ import annotations

from dashboard.act import coverage
from dashboard.view import current_view

coverage.show(current_view())
