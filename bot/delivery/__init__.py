"""From an order to a delivered badge: workers, pictures, sending, the status message."""
