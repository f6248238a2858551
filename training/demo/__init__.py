"""What drew and trained the small FLUX that ships with the package; see README.md here. Imports nothing heavy."""
