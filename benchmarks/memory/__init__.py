"""Bytes of full-size models on a card that is not there: `python -m benchmarks.memory`."""
