"""Evaluation of a LoRA: trial pictures, scorers, scores and their page."""
