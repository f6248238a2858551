"""The state of the bot: inbox, dialogues, people, jobs and outbox in one SQLite database.

The modules beside `database.py` are plain functions of a connection, so that one update is answered in one transaction:
update marked as answered, dialogue changed, job stored, answer put into the outbox, all or nothing.
"""

from bot.store.database import Database

__all__ = ["Database"]
