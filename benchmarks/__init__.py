"""Measurements that anyone can repeat, each printing a table; none of them is a test."""

import os

for _library in ("TRANSFORMERS", "DIFFUSERS"):  # their remarks would stand between the rows
    os.environ.setdefault(f"{_library}_VERBOSITY", "error")
