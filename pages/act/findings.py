"""Findings and actions: what is open, overdue, old, and coming back."""

from __future__ import annotations

from dashboard.act import findings
from dashboard.view import current_view

findings.show(current_view())
