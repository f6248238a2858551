"""Drawing: geometry, anti-aliased masks, paint, letters, and the bodies that carry them."""
