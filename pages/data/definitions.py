"""Definitions: every metric and dimension, and the regulations behind the measures."""

from __future__ import annotations

from dashboard.data import definitions
from dashboard.view import current_view

definitions.show(current_view())
