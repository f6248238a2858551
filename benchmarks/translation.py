"""How much of what people say in Russian becomes the right English: everyday nouns in oblique cases, and longer wishes.

    python -m benchmarks.translation            the table
    python -m benchmarks.translation --wrong    and every answer that is not right

Two lists in `benchmarks/data` say what is right; each was written down before it was first tried. Both ways are
measured alone: the shipped glossary, and the Marian model of the settings (BADGE_TRANSLATION__MARIAN) where it is on
this machine. "Right" is the first answer; "offered" counts the alternatives that a person could choose too. The last
lines inflect every word of the glossary and ask for each form: they show the word forms, not the translations.
"""

import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from configs.settings import load_settings
from inference.translation.english import plural
from inference.translation.glossary import Glossary, load_glossary
from inference.translation.marian import open_marian
from inference.translation.nouns import find_noun
from inference.translation.phrase import UnknownWords, bare_phrase, translate_phrase

DATA = Path(__file__).with_name("data")
LISTS = {"nouns in oblique cases": "translation_nouns.tsv", "longer wishes": "translation_phrases.tsv"}
CASES = ("gent", "datv", "accs", "ablt", "loct")

Translate = Callable[[str], list[str]]


@dataclass(frozen=True)
class Wish:
    """What a person says, and every translation that is right."""

    russian: str
    right: frozenset[str]


@dataclass
class Score:
    """What came of one list: counts, the wrong answers, and seconds in all."""

    right: int = 0
    offered: int = 0
    silent: int = 0
    seconds: float = 0.0
    wrong: list[str] | None = None


def read_list(path: Path) -> list[Wish]:
    """The wishes of one list, in order."""
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [Wish(russian, frozenset(right.lower().split("|"))) for russian, right in lines]


def measure(wishes: list[Wish], translate: Translate) -> Score:
    """Ask for every wish once."""
    score = Score(wrong=[])
    for wish in wishes:
        started = time.perf_counter()
        answers = [answer.lower() for answer in translate(wish.russian)]
        score.seconds += time.perf_counter() - started
        score.right += bool(answers) and answers[0] in wish.right
        score.offered += bool(wish.right & set(answers))
        score.silent += not answers
        if not answers or answers[0] not in wish.right:
            score.wrong = [*(score.wrong or []), f"{wish.russian}: {', '.join(answers) or 'not understood'}"]
    return score


def by_glossary(glossary: Glossary) -> Translate:
    """The glossary alone; no answer where it does not understand."""

    def translate(text: str) -> list[str]:
        try:
            return translate_phrase(text, glossary)
        except UnknownWords:
            return []

    return translate


def own_forms(glossary: Glossary) -> tuple[int, int]:
    """(found, asked): forms of the glossary's one-word things that lead back to their meaning, in either number."""
    from pymorphy3 import MorphAnalyzer

    analyzer = MorphAnalyzer(lang="ru")
    found = asked = 0
    for key, entry in glossary.nouns.items():
        noun = next((p for p in analyzer.parse(key) if p.tag.POS == "NOUN" and "nomn" in p.tag), None)
        if noun is None or not noun.is_known:
            continue
        for case in CASES:
            form = noun.inflect({case})
            if form is not None:
                asked += 1
                answer = find_noun(form.word, glossary)
                found += answer is not None and plural(entry.meanings[0]) in map(plural, answer.meanings)
    return found, asked


def main(argv: list[str]) -> int:
    """Print the table."""
    logging.basicConfig(level=logging.ERROR)
    settings = load_settings().translation
    started = time.perf_counter()
    glossary = load_glossary()
    translate_phrase("катана", glossary)
    loaded = time.perf_counter() - started
    marian = open_marian(settings.marian, settings.download)
    ways: dict[str, Translate | None] = {"glossary": by_glossary(glossary), "Marian": None}
    if marian is not None:
        ways["Marian"] = lambda text: [said] if (said := marian.translate(bare_phrase(text))) else []
    print("| list | way | right | offered | not understood | ms each |")
    print("|---|---|---|---|---|---|")
    wrong: list[str] = []
    for title, file in LISTS.items():
        wishes = read_list(DATA / file)
        for way, translate in ways.items():
            if translate is None:
                print(f"| {len(wishes)} {title} | {way} | not measured here | | | |")
                continue
            score = measure(wishes, translate)
            wrong += [f"{way}: {line}" for line in score.wrong or []]
            share, offered = score.right / len(wishes), score.offered / len(wishes)
            each = 1000 * score.seconds / len(wishes)
            print(f"| {len(wishes)} {title} | {way} | {share:.1%} | {offered:.1%} | {score.silent} | {each:.2f} |")
    found, asked = own_forms(glossary)
    sizes = f"{len(glossary.nouns)} things in one word, {len(glossary.adjectives)} adjectives"
    print(f"\nGlossary: {sizes}; loaded in {loaded:.2f} s.")
    print(f"{found} of {asked} oblique forms of its own words lead back to their meaning ({found / asked:.2%}).")
    if marian is None:
        print(f"Marian: {settings.marian or 'none set'} is not on this machine, so it was not measured here.")
    if "--wrong" in argv:
        print("\n" + "\n".join(wrong))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
