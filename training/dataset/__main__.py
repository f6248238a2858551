"""`python -m training.dataset import|name|check|repair|pack`: from pictures as they come to a folder fit for training.

python -m training.dataset import export.zip photos --out training_images   everything into one folder, copies left out
python -m training.dataset name training_images                 a page in the browser: what does each character hold?
python -m training.dataset check training_images               a table, and report.html beside the folder's name
python -m training.dataset repair training_images --out mended  a mended copy; the originals stay
python -m training.dataset pack training_images                 training_data.zip for a hosted trainer
"""

import argparse
import asyncio
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from configs import Settings, load_settings
from configs.console import DONE, FAILED, Parser, run_command
from configs.decoding import known_encoding
from configs.printable import printable, printable_lines
from training.dataset import CaptionRule, check, pack, read_data_set, repair
from training.dataset.checks import counted
from training.dataset.folder import shown
from training.dataset.importing import import_pictures
from training.dataset.report import html_report, summary, terminal_table
from training.embedding import embedding_on_disk
from training.errors import EXIT_CODES, DataSetError, TrainingFailed

_WIDE = 120  # where the table goes into a file


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = Parser(
        prog="python -m training.dataset",
        description="Gather, name, check, mend or pack the pictures that a style is trained on.",
        epilog="check ends with exit code 1 where something stops a training.",
    )
    parser.add_argument("what", choices=("import", "name", "check", "repair", "pack"), help="what to do")
    parser.add_argument(
        "folders", type=Path, nargs="+", metavar="DIR",
        help="the folder with pictures and captions; for import: folders, archives and files",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, metavar="PATH",
        help="training_images (import), report.html (check), DIR-repaired (repair), training_data.zip (pack)",
    )  # fmt: skip
    parser.add_argument("--trigger", metavar="WORD", help="the trigger word (default: the settings' prompt.trigger)")
    parser.add_argument("--encoding", default="", metavar="NAME", help="what captions are in, where that is not UTF-8")
    parser.add_argument("--port", type=int, metavar="N", help="name: serve the page on this port (default: a free one)")
    parser.add_argument("--no-browser", action="store_true", help="name: print the page's address, open no browser")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings that win over configs/badge.toml")
    parser.add_argument("--debug", action="store_true", help="show library logs and tracebacks")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    return run_command(_command, build_parser(), argv, EXIT_CODES)


def caption_rule(settings: Settings, trigger: str | None = None) -> CaptionRule:
    """The rule that the settings' prompt gives."""
    return CaptionRule(trigger or settings.prompt.trigger, settings.prompt.base, settings.prompt.style)


def _command(args: argparse.Namespace) -> int:
    settings = load_settings(args.config)
    rule = caption_rule(settings, args.trigger)
    try:
        encoding = known_encoding(args.encoding) if args.encoding else ""
    except ValueError as error:
        raise DataSetError(str(error)) from error
    if args.what == "import":
        return _import(args.folders, args.out or Path("training_images"), rule, encoding)
    if args.what != "name" and (args.port is not None or args.no_browser):
        raise DataSetError("--port and --no-browser belong to name")
    if len(args.folders) > 1:
        raise DataSetError(f"{args.what} takes one folder: import several into one first")
    folder = args.folders[0]
    if args.what == "name":
        return _name(args, rule, settings)
    data = read_data_set(folder, rule, encoding)
    if args.what == "repair":
        out = args.out or folder.with_name(folder.name + "-repaired")
        for line in repair(data, out):
            print(printable(line))
        mended = read_data_set(out, data.rule)
        print(summary(mended, check(mended)))
        return DONE
    if args.what == "pack":
        out = args.out or Path("training_data.zip")
        pack(data, out)
        print(
            f"{shown(out)}: {counted(len(data.pictures), 'picture')} with captions, {out.stat().st_size / 1e6:.1f} MB"
        )
        return DONE
    found = check(data, embedding_on_disk(settings.training.scorer))
    print(printable_lines(terminal_table(data, found, shutil.get_terminal_size((_WIDE, 24)).columns)))
    report = args.out or Path("report.html")
    try:
        report.write_text(html_report(data, found), encoding="utf-8")
    except OSError as error:
        raise TrainingFailed(f"cannot write {report}: {error.strerror}; name another place with --out") from error
    print(f"with thumbnails: {shown(report)}")
    return FAILED if any(finding.level == "error" for finding in found) else DONE


def _name(args: argparse.Namespace, rule: CaptionRule, settings: Settings) -> int:
    # aiohttp takes 0.2 s to import, which the other commands do without.
    from training.dataset.captioner import Captioner
    from training.dataset.name_page import serve
    from training.dataset.naming import Naming

    if args.port is not None and not 0 < args.port < 65536:
        raise DataSetError(f"--port {args.port}: a port is a number from 1 to 65535")
    naming = Naming(
        args.folders[0],
        rule,
        settings.translation,
        Captioner(settings.training.captioner),
        embedding_on_disk(settings.training.scorer),
    )

    def told(address: str) -> None:
        print(f"open {address} to name the pictures; Ctrl-C ends", flush=True)

    asyncio.run(serve(naming, args.port or 0, told, browser=not args.no_browser and sys.stdout.isatty()))
    data = read_data_set(naming.folder, rule)
    print(summary(data, check(data)))
    return DONE


def _import(sources: Sequence[Path], out: Path, rule: CaptionRule, encoding: str) -> int:
    done = import_pictures(sources, out, rule, encoding)
    for each in done.left_out:
        print(printable(f"left out: {each.name} ({each.why})"))
    bigger = f", {len(done.replaced)} replaced by larger copies" if done.replaced else ""
    print(f"{shown(out)}: {counted(len(done.added), 'new picture')}{bigger}, {done.total} in all")
    if done.nameless:
        print(f"{counted(done.nameless, 'picture')} without a caption: nothing says what is held")
    print(f"next: python -m training.dataset name {shown(out)}, then check")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
