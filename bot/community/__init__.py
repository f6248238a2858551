"""What a community asks of its bot: greeting, history, members, review, awards, choices, gallery, privacy."""
