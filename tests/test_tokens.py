"""The search for tokens finds one in any file, but where tokens belong. The suite itself ends with it (conftest)."""

import gzip
from pathlib import Path

import pytest

from tests.tokens import USED, files_with_a_token


@pytest.mark.parametrize("token", USED, ids=["telegram", "replicate"])
@pytest.mark.parametrize("name", ["bot.log", "manifest.jsonl", "deep/er/bot.sqlite3"])
def test_a_token_is_found_wherever_it_is_written(tmp_path: Path, token: str, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x00before " + token.encode() + b" after")
    (tmp_path / ".env").write_text(f"TELEGRAM_BOT_TOKEN={token}\n")
    (tmp_path / "other.gz").write_bytes(gzip.compress(b"nothing"))
    assert files_with_a_token(tmp_path) == [name]
    path.unlink()


@pytest.mark.parametrize("token", USED, ids=["telegram", "replicate"])
def test_a_token_is_found_before_and_after_a_hole(tmp_path: Path, token: str) -> None:
    for name, before, after in (("first", token, "x"), ("last", "x", token), ("none", "x", "x")):
        with (tmp_path / name).open("wb") as file:
            file.write(before.encode())
            file.seek(2**30)
            file.write(after.encode())
            file.truncate(2**31)
    assert files_with_a_token(tmp_path) == ["first", "last"]
    for path in tmp_path.iterdir():  # or the search at the end of all tests finds them
        path.unlink()


def test_the_tokens_are_those_that_the_suite_uses() -> None:
    assert len(set(USED)) == 2
    assert all(len(token) > 20 for token in USED)
