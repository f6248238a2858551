"""Features for communities: greeting, history, members, review, awards, choices, gallery, privacy."""
