"""The report: one page that hangs exhibits, and its numbers in tables.

It knows no method by name and imports nothing of ours but `cnnatomy.exhibit`, no torch and no matplotlib.
"""

from cnnatomy.report.build import build
from cnnatomy.report.context import Context

__all__ = ["Context", "build"]
