"""Full-size models on one card, with random weights made there: `python -m benchmarks.gpu`."""
