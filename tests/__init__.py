"""Tests. One thread each: small networks gain nothing by a second, and lose much on a machine that is busy."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read once, when torch and numpy are imported
