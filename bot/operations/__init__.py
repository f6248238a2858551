"""Running the bot: check before a start, backups, health and metrics, logs."""
