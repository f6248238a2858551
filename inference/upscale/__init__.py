"""Enlarging portraits: a small network for flat outlined drawings, Lanczos for everything else."""
