"""Work on a data set: gathering, naming, checking, mending and packing its pictures."""

import argparse
import asyncio
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from configs.console import DONE, FAILED
from configs.decoding import known_encoding
from configs.printable import printable, printable_lines
from configs.settings import Settings, load_settings
from training.dataset.captions import CaptionRule
from training.dataset.checks import check, counted
from training.dataset.folder import shown
from training.dataset.importing import import_pictures
from training.dataset.pack import pack
from training.dataset.pictures import read_data_set
from training.dataset.repair import repair
from training.dataset.report import html_report, summary, terminal_table
from training.embedding import embedding_on_disk
from training.errors import DataSetError, TrainingFailed

_WIDE = 120  # where the table goes into a file


def caption_rule(settings: Settings, trigger: str | None = None) -> CaptionRule:
    """The rule that the settings' prompt gives."""
    return CaptionRule(trigger or settings.prompt.trigger, settings.prompt.base, settings.prompt.style)


def run(args: argparse.Namespace) -> int:
    """Do what was asked; returns the exit code. Raises ConfigError and TrainingError."""
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
