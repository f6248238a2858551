"""Operating the bot: `--check`, backups, health and metrics, logs, awards from a file."""
