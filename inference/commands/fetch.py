"""Downloading a base model: size, licence and free disk first, then the files."""

import argparse

from configs.console import DONE
from configs.settings import load_settings
from inference.hub import HubError, asking_hub
from inference.models.base_weights import unavailable
from inference.models.profiles import load_profile
from inference.models.room import gigabytes, planned, require_room


def run(args: argparse.Namespace) -> int:
    """Do what was asked; returns the exit code. Raises ConfigError, InvalidRequest and RenderError."""
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
