"""What the demo FLUX was trained on: characters, things, and captions, all drawn by code."""
