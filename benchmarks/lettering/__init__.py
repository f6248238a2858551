"""How well text in pictures is found: `python -m benchmarks.lettering`."""
