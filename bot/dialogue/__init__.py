"""The dialogue: events in, turns decided, orders out."""
