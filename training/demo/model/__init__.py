"""How the demo FLUX and its classifier are trained."""
