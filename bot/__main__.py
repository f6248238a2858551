"""`python -m bot`: serve badges on Telegram, check the installation, back the state up and restore it."""

import argparse
import os
import sys
from pathlib import Path

from configs.console import BAD_INPUT, DONE, FAILED, Parser
from configs.settings import ConfigError, Settings, load_settings


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code: 0 all done, 1 something failed, 2 bad usage or bad input."""
    parser = Parser(prog="python -m bot", description="Serve samurai badges on Telegram until told to stop.")
    parser.add_argument("--config", type=Path, metavar="FILE", help="a TOML file whose keys win over badge.toml")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--check", action="store_true", help="try everything that serving needs, without serving")
    instead.add_argument("--backup", type=Path, metavar="FILE", help="write the state folder into FILE (.tar.gz)")
    instead.add_argument("--restore", type=Path, metavar="FILE", help="make the state folder what FILE holds")
    options = parser.parse_args(arguments)
    try:
        settings = load_settings(options.config)
    except ConfigError as error:
        return _refuse(str(error), BAD_INPUT)
    os.umask(0o077)
    try:
        return _run(options, settings)
    except _expected() as error:
        if options.debug:
            raise
        return _refuse(str(error), _code(error))


def _run(options: argparse.Namespace, settings: Settings) -> int:
    """Do what was asked; the parts are imported only now, so that `--help` is quick."""
    if options.check:
        from bot.operations.check import main as check

        return check(settings)
    if options.backup or options.restore:
        from bot.operations.backup import backup, restore

        if options.restore and not options.restore.is_file():
            return _refuse(f"--restore {options.restore}: there is no such file", BAD_INPUT)
        done = (
            backup(settings.data_dir, options.backup) if options.backup else restore(settings.data_dir, options.restore)
        )
        sys.stdout.write(f"{done} file{'s' * (done != 1)} {'saved' if options.backup else 'restored'}\n")
        return DONE
    from bot.app import run
    from bot.operations.logs import start_logging

    hidden = (settings.secrets.telegram_bot_token, settings.secrets.replicate_api_token, settings.secrets.hf_token)
    start_logging(settings.bot, settings.data_dir, tuple(secret.get_secret_value() for secret in hidden))
    run(settings)
    return DONE


def _expected() -> tuple[type[Exception], ...]:
    from bot.errors import BotError
    from inference.errors import RenderError

    return BotError, RenderError, OSError


def _code(error: Exception) -> int:
    from bot.errors import StartError
    from inference.errors import InvalidRequest

    return BAD_INPUT if isinstance(error, StartError | InvalidRequest) else FAILED


def _refuse(message: str, code: int) -> int:
    sys.stderr.write(f"error: {' '.join(message.split())}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
