"""Pictures and texts encoded once, by content, in the sizes that they are trained at."""
