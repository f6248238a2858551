"""The Bot API: client, HTTP transport, rate limits, translated errors, the queue of updates."""
