"""`python -m bot`: serve badges on Telegram."""

import argparse
import logging
import os
import sys
from pathlib import Path

from configs.settings import ConfigError, Settings, load_settings

log = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code: 0 all done, 1 something failed, 2 bad usage."""
    parser = argparse.ArgumentParser(prog="python -m bot", description="Serve samurai badges on Telegram.")
    parser.add_argument("--config", type=Path, metavar="FILE", help="a TOML file whose keys win over badge.toml")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    options = parser.parse_args(arguments)
    try:
        settings = load_settings(options.config)
    except ConfigError as error:
        return _refuse(str(error), 2)
    return serve(settings, options.debug)


def serve(settings: Settings, debug: bool) -> int:
    """Serve until told to stop."""
    from bot.app import run
    from bot.errors import BotError, StartError
    from bot.logs import start_logging
    from inference.errors import RenderError

    hidden = (settings.secrets.telegram_bot_token, settings.secrets.replicate_api_token, settings.secrets.hf_token)
    os.umask(0o077)
    start_logging(settings.bot, settings.data_dir, tuple(secret.get_secret_value() for secret in hidden))
    try:
        run(settings)
    except (BotError, RenderError, OSError) as error:
        if debug:
            raise
        return _refuse(str(error), 2 if isinstance(error, StartError) else 1)
    return 0


def _refuse(message: str, code: int) -> int:
    sys.stderr.write(f"error: {message}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
