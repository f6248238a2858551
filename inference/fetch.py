"""`python -m inference.fetch PROFILE`: a base model's weights onto this disk before anybody waits for them.

python -m inference.fetch flux-dev            says size, licence and free disk, then downloads; interrupted, it goes on
python -m inference.fetch flux-dev --dry-run  says them only
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from configs import ConfigError, load_settings
from configs.console import BAD_INPUT, DONE, FAILED, Parser, run_command
from inference.errors import InvalidRequest, RenderError
from inference.hub import HubError, asking_hub
from inference.models.base_weights import unavailable
from inference.models.profiles import load_profile, profile_names
from inference.models.room import gigabytes, planned, require_room


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = Parser(prog="python -m inference.fetch", description="Download a base model's weights.")
    parser.add_argument("profile", metavar="PROFILE", help=", ".join(profile_names()))
    parser.add_argument("--dry-run", action="store_true", help="say size, licence and free disk, download nothing")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings that override configs/badge.toml")
    parser.add_argument("--debug", action="store_true", help="show library logs and tracebacks")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    codes: dict[type[Exception], int] = {ConfigError: BAD_INPUT, InvalidRequest: BAD_INPUT, RenderError: FAILED}
    return run_command(_command, build_parser(), argv, codes)


def _command(args: argparse.Namespace) -> int:
    profile = load_profile(args.profile)
    settings = load_settings(args.config)
    token = settings.secrets.hf_token.get_secret_value()
    if profile.folder:
        print(f"{profile.title} ships with the package ({profile.licence}): nothing to download")
        return DONE
    try:
        download = planned(profile, token)
        print(f"{profile.title}: {gigabytes(download.total)} in {len(download.files)} files, {profile.licence}")
        print(f"https://huggingface.co/{profile.repo} at {download.commit[:12]}")
        print(
            f"to download: {gigabytes(download.missing)}; free in {download.cache}: {gigabytes(download.free)}",
            flush=True,
        )
        if not download.missing:
            print("everything is on this disk")
            return DONE
        require_room(profile, download)
        if args.dry_run:
            return DONE
        from huggingface_hub import snapshot_download

        with asking_hub():
            # Whole files only appear in the cache; an interrupted part is resumed.
            snapshot_download(
                profile.repo, revision=download.commit, allow_patterns=list(download.files), token=token or None
            )
    except HubError as error:
        raise unavailable(profile, error) from error
    print("everything is on this disk")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
