"""`python -m bot`: serve badges on Telegram, check the installation, back the state up and restore it."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import BotError, StartError
from configs.console import BAD_INPUT, DONE, FAILED, Parser, run_command
from configs.errors import ConfigError
from inference.errors import InvalidRequest, RenderError

if TYPE_CHECKING:
    from configs.settings import Settings


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code: 0 all done, 1 something failed, 2 bad usage or bad input."""
    parser = Parser(prog="python -m bot", description="Serve samurai badges on Telegram until told to stop.")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings that override configs/badge.toml")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--check", action="store_true", help="try everything that serving needs, without serving")
    instead.add_argument("--backup", type=Path, metavar="FILE", help="write the state folder into FILE (.tar.gz)")
    instead.add_argument("--restore", type=Path, metavar="FILE", help="replace the state folder by the backup in FILE")
    instead.add_argument(
        "--calibrate-filter", type=Path, metavar="DIR", help="find bot.picture_threshold from the pictures in DIR"
    )
    instead.add_argument(
        "--award", type=Path, metavar="FILE", help="store the awards in FILE (user, chat, object, text, why)"
    )
    instead.add_argument("--gallery", type=Path, metavar="DIR", help="write the finished badges into DIR as a web page")
    wrong = dict.fromkeys((ConfigError, StartError, InvalidRequest), BAD_INPUT)
    return run_command(_run, parser, arguments, wrong | dict.fromkeys((BotError, RenderError, OSError), FAILED))


def _run(options: argparse.Namespace) -> int:
    """Run what the options ask for; imports are delayed until here, so that `--help` is quick."""
    from configs.settings import load_settings
    from inference.badge import use_own_styles

    settings = load_settings(options.config)
    use_own_styles(settings)
    if options.gallery:  # before the umask: a web server has to read these files
        from bot.operations.gallery import main as gallery

        return gallery(settings, options.gallery)
    os.umask(0o077)
    if options.check:
        from bot.operations.check import main as check

        return check(settings)
    if options.calibrate_filter:
        from bot.operations.calibrate import main as calibrate

        return calibrate(settings, options.calibrate_filter)
    if options.award:
        from bot.operations.award import main as award

        return award(settings, options.award)
    if options.backup or options.restore:
        return _keep(options, settings.data_dir)
    from bot.app import run
    from bot.operations.logs import start_logging
    from inference.choice import require_fits_here

    start_logging(settings.bot, settings.data_dir, _hidden(settings))
    require_fits_here(settings)
    run(settings)
    return DONE


def _keep(options: argparse.Namespace, data_dir: Path) -> int:
    """Back the state folder up, or restore it."""
    from bot.operations.backup import backup, restore

    if options.restore and not options.restore.is_file():
        raise StartError(f"--restore {options.restore}: there is no such file")
    done = backup(data_dir, options.backup) if options.backup else restore(data_dir, options.restore)
    sys.stdout.write(f"{done} file{'s' * (done != 1)} {'saved' if options.backup else 'restored'}\n")
    return DONE


def _hidden(settings: "Settings") -> tuple[str, ...]:
    """The tokens, which no log line may show."""
    secrets = settings.secrets
    tokens = (secrets.telegram_bot_token, secrets.replicate_api_token, secrets.hf_token)
    return tuple(token.get_secret_value() for token in tokens)


if __name__ == "__main__":
    sys.exit(main())
