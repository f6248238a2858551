"""Placeholder room; its face comes with its first part."""
