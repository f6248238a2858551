"""Generators around a generator: a cache of portraits, a fallback, one drawing shared by all who ask for it."""
