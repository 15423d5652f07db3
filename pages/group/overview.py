"""Group overview: how well the group complies, where it is weak, and how much of it was inspected."""

from __future__ import annotations

from dashboard.group import overview
from dashboard.view import current_view

overview.show(current_view())
