"""The Telegram bot: people order badges in a dialogue. `bot.app.run(settings)` serves until it is told to stop.

Importing this package loads neither python-telegram-bot nor the libraries that draw.
"""
