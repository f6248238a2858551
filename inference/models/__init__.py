"""What drawing and training share about base models: profiles, sizes, weights, hardware."""
