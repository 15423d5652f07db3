"""Privacy audits: results by clause of JIS Q 15001, and PrivacyMarks."""

from __future__ import annotations

from dashboard.act import privacy
from dashboard.view import current_view

privacy.show(current_view())
