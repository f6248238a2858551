"""The Hugging Face Hub: what its cache on this disk holds, and one error for all that asking the Hub can raise."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class HubError(Exception):
    """The Hub did not give what it was asked for.

    `status` is that of its response, None where it cannot be reached; `gated`: the licence has to be accepted first.
    """

    def __init__(self, message: str, status: int | None = None, *, gated: bool = False) -> None:
        super().__init__(message)
        self.status, self.gated = status, gated


def cached_file(repo: str, file: str, revision: str = "") -> Path | None:
    """`file` of `repo` in the Hub's cache on this disk, None where it is not there. No network."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(repo, file, revision=revision or None)
    except HFValidationError:  # no repository can have that name
        return None
    return Path(found) if isinstance(found, str) else None


@contextmanager
def asking_hub() -> Iterator[None]:
    """Raise HubError for whatever huggingface_hub, and the HTTP client below it, raise within."""
    import httpx2
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError

    try:
        yield
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else None
        said = f"the Hub says {status or 'nothing'}"
        raise HubError(said, status, gated=isinstance(error, GatedRepoError)) from error
    except (OSError, ValueError, httpx2.HTTPError) as error:
        raise HubError("the Hub cannot be reached") from error


def hub_root() -> str:
    """The Hub's address, as HF_ENDPOINT or huggingface_hub has it."""
    from huggingface_hub import constants

    return str(constants.ENDPOINT)


def token_here(token: str) -> str:
    """`token`, or else the one that `hf auth login` has left on this machine; "" where there is none."""
    from huggingface_hub import get_token

    return token or get_token() or ""


def account(token: str) -> str:
    """Whose token it is. Raises HubError."""
    from huggingface_hub import HfApi

    with asking_hub():
        return str(HfApi().whoami(token=token)["name"])


def model_folder(source: str) -> Path | None:
    """The folder of a transformers model that is on this disk: a folder, or a repository in the Hub's cache.

    By its folder alone transformers asks the Hub for nothing more.
    """
    if Path(source).is_dir():
        return Path(source)
    config = cached_file(source, "config.json")
    return config.parent if config and any(config.parent.glob("*.safetensors")) else None


def require_model(source: str, token: str = "") -> None:
    """Raises OSError at once where the Hub does not give `source`: transformers asks for a minute."""
    from huggingface_hub import HfApi

    try:
        with asking_hub():
            HfApi(token=token or None).model_info(source, timeout=10)
    except HubError as error:
        said = f"{error} to {source}" if error.status else f"it is not on this disk and {error}"
        raise OSError(said) from error
