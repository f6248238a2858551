"""The errors of the bot other than those of drawing.

    BotError
    |- StoreError        the database cannot be read or written now (disk full, locked, damaged)
    |  |- StoreTooNew    it was written by a later version
    |- StartError        the bot cannot start: no token, a wrong token, a folder in use

Errors of sqlite3 are translated in `bot.store.database`; those of python-telegram-bot where a call is made.
"""


class BotError(Exception):
    """Base of all errors of `bot`; the message is one line for whoever runs the bot."""


class StoreError(BotError):
    """The database cannot be read or written now; the same call may work later."""


class StoreTooNew(StoreError):
    """The database was written by a later version of this program."""


class StartError(BotError):
    """The bot cannot start; the message says what to do."""
