"""Draws accepted jobs and delivers badges: workers, pictures, outgoing messages, the status message."""
