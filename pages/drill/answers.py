"""Answers: every row behind a figure."""

from __future__ import annotations

from dashboard.drill import answers
from dashboard.view import current_view

answers.show(current_view())
