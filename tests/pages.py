"""The documentation as tests read it: pages, their links, headings, fenced blocks and commands."""

import re
import shlex
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|<(?:img|a)\b[^>]*?(?:src|href)=\"([^\"]+)\"")


@dataclass(frozen=True)
class Command:
    """One command line of a page: the variables set in front of it, and its words."""

    page: str
    line: str
    variables: dict[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        """What `python -m` or `accelerate launch ... -m` runs; "" for other programs."""
        if self.words[0] not in ("python", "accelerate") or "-m" not in self.words:
            return ""
        return self.words[self.words.index("-m") + 1]

    @property
    def arguments(self) -> list[str]:
        """What the module is given."""
        return list(self.words[self.words.index("-m") + 2 :])


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def blocks(self, language: str) -> list[str]:
        """The contents of all fenced blocks in a language."""
        return [body for found, body in _FENCE.findall(self.text) if found == language]

    @property
    def prose(self) -> str:
        """The text without fenced blocks."""
        return _FENCE.sub("", self.text)

    @property
    def shown(self) -> list[str]:
        """The lines of all fenced blocks but the commands, each with its block's language."""
        blocks = [(language, body) for language, body in _FENCE.findall(self.text) if language != "sh"]
        return [f"{language}: {line}" for language, body in blocks for line in body.splitlines()]

    @property
    def code(self) -> set[str]:
        """What stands between single backticks."""
        return {" ".join(each.split()) for each in re.findall(r"`([^`]+)`", self.prose)}

    @property
    def links(self) -> list[str]:
        """Targets of links and pictures."""
        return [plain or html for plain, html in _LINK.findall(self.prose)]

    @property
    def anchors(self) -> set[str]:
        """What `#...` may name on this page, as GitHub makes it from headings."""
        titles = re.findall(r"^#+ (.+)$", self.prose, re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}

    @property
    def commands(self) -> list[Command]:
        """All commands of the `sh` blocks, in order; `&&` and line ends part them."""
        found = []
        for block in self.blocks("sh"):
            for line in block.replace("\\\n", " ").splitlines():
                for part in line.split("&&"):
                    words = shlex.split(part, comments=True)
                    if words:
                        found.append(_command(self.name, " ".join(part.split()), words))
        return found


def _command(page: str, line: str, words: list[str]) -> Command:
    variables = {}
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        name, _, value = words.pop(0).partition("=")
        variables[name] = value
    return Command(page, line, variables, tuple(words))


def pages() -> list[Page]:
    """The pages that people follow: README and docs/, in both languages."""
    return [Page(path) for path in (ROOT / "README.md", ROOT / "README.ru.md", *sorted((ROOT / "docs").glob("*.md")))]


def page(name: str) -> Page:
    """One page by its path below the root."""
    return Page(ROOT / name)
