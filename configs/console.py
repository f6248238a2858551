"""What every command line shares: one-line errors, exit codes, quiet logs.

Exit codes: 0 all done, 1 something failed, 2 bad usage or bad input. An expected error is one line `error: ...` on
stderr; an unexpected one too, with a hint at `--debug`, which shows the traceback.
"""

import argparse
import logging
import os
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

from configs.printable import printable, printable_lines

DONE, FAILED, BAD_INPUT = 0, 1, 2

_NOISY = (
    *("diffusers", "transformers", "huggingface_hub", "httpx", "peft", "PIL", "torchao", "bitsandbytes"),
    *("torch", "torch.utils._pytree"),  # torch gives "torch" a level of its own when it is imported
)


class Parser(argparse.ArgumentParser):
    """argparse whose usage errors are one line, without the usage block."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"error: {printable(message)} (see --help)\n")


def run_command(
    command: Callable[[argparse.Namespace], int],
    parser: argparse.ArgumentParser,
    argv: Sequence[str] | None,
    codes: Mapping[type[Exception], int],
) -> int:
    """Parse `argv` and run `command`; an exception listed in `codes` (subclasses first) ends in its exit code.

    `parser` must have the flag `--debug`.
    """
    args = parser.parse_args(argv)
    set_up_logging(debug=args.debug)
    try:
        return command(args)
    except KeyboardInterrupt:
        return _fail("interrupted", FAILED, args.debug)
    except BrokenPipeError:
        sys.stderr.close()
        return FAILED
    except Exception as error:
        code = next((code for kind, code in codes.items() if isinstance(error, kind)), None)
        if code is not None:
            return _fail(str(error), code, args.debug)
        return _fail(f"{type(error).__name__}: {error} (this is a bug; --debug shows where)", FAILED, args.debug)


def set_up_logging(*, debug: bool) -> None:
    """Log lines to stderr: ours as they are, other libraries' only with `debug`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_PlainFormatter("%(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.DEBUG if debug else logging.WARNING)
    if not debug:
        warnings.simplefilter("ignore")
        for noisy in _NOISY:
            logging.getLogger(noisy).setLevel(logging.ERROR)
        for library in ("TRANSFORMERS", "DIFFUSERS", "HF_HUB"):  # these set their loggers' levels again when imported
            os.environ.setdefault(f"{library}_VERBOSITY", "error")


def tell(line: str) -> None:
    """Print a line for people on stderr; what others wrote in it cannot command the terminal."""
    print(printable(line), file=sys.stderr)


class _PlainFormatter(logging.Formatter):
    """A log line as it is, without what commands a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return printable_lines(super().format(record))


def _fail(message: str, code: int, debug: bool) -> int:
    tell("error: " + message)
    if debug:
        logging.getLogger(__name__).debug("traceback", exc_info=True)
    return code
