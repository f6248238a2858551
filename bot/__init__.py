"""The Telegram bot: a dialogue that ends in a badge. `bot.app.run(settings)` serves until it is told to stop.

Importing this package loads neither python-telegram-bot nor anything that draws.
"""
