"""Training by a hosted trainer on Replicate."""
