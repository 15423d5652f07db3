"""Sites and affiliates: ranked with intervals against peers of the same kind."""

from __future__ import annotations

from dashboard.compare import sites
from dashboard.view import current_view

sites.show(current_view())
