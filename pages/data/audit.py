"""Audit log: who saw, took away and loaded what, and what was refused."""

from __future__ import annotations

from dashboard.data import audit_trail
from dashboard.filters import current_language

audit_trail.show(current_language())
