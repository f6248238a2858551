"""The dialogue: reads updates as events, decides what to answer, and accepts badges as jobs."""
