"""The data set: 15 to 25 pictures of one style with captions beside them. Checked, mended, packed; no torch."""
