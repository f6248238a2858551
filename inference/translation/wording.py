"""The small words of Russian that a glossary of things does not hold: prepositions, numerals, and what says nothing."""

from typing import Final

PREPOSITIONS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "с": ("with", ("ablt", "gent")), "со": ("with", ("ablt", "gent")),
    "из": ("of", ("gent",)), "без": ("without", ("gent",)),
    "для": ("for", ("gent",)), "от": ("for", ("gent",)), "у": ("near", ("gent",)), "около": ("near", ("gent",)),
    "вместо": ("instead of", ("gent",)), "против": ("against", ("gent",)), "среди": ("among", ("gent",)),
    "в": ("in", ("loct", "loc2", "accs")), "во": ("in", ("loct", "loc2", "accs")),
    "на": ("on", ("loct", "loc2", "accs")), "под": ("under", ("ablt", "accs")), "над": ("above", ("ablt",)),
    "за": ("behind", ("ablt", "accs")), "перед": ("in front of", ("ablt",)), "между": ("between", ("ablt",)),
    "к": ("for", ("datv",)), "о": ("about", ("loct",)), "об": ("about", ("loct",)), "про": ("about", ("accs",)),
    "через": ("through", ("accs",)), "как": ("like", ("nomn",)), "по": ("on", ("datv",)),
}  # fmt: skip
"""Each with its English and the cases that it takes, likeliest first."""

CONJUNCTIONS: Final = {
    "и": "and", "или": "or", "плюс": "and", "&": "and", "+": "and", "а": "and", "также": "and", "/": "or",
}  # fmt: skip

NUMERALS: Final = {
    "два": "two", "две": "two", "двумя": "two", "двух": "two", "три": "three", "тремя": "three", "трех": "three",
    "четыре": "four", "четырьмя": "four", "пять": "five", "пятью": "five", "шесть": "six", "шестью": "six",
    "семь": "seven", "восемь": "eight", "девять": "nine", "десять": "ten", "много": "many", "несколько": "several",
    "сто": "hundred", "тысяча": "thousand", "тысячу": "thousand", "тысячей": "thousand", "миллион": "million",
    "двое": "two", "трое": "three", "оба": "both", "обе": "both", "обеими": "both", "двенадцать": "twelve",
    "двадцать": "twenty",
}  # fmt: skip
"""With more than one thing after them, so what follows is plural whatever its form says."""

ADVERBS: Final = {"очень": "very", "слегка": "slightly", "немного": "slightly", "самый": "very", "слишком": "too"}

_FILLERS = """
    свой мой твой наш ваш его ее их этот тот такой какой-нибудь какой-то любой некий один просто пожалуйста
    плиз ну типа     вот
"""
FILLERS: Final = frozenset(_FILLERS.split())
"""Left out wherever they stand; compared by dictionary form."""

_OPENINGS = """
    с со держит держать держи держа держащий держащая держал держала пусть будет он она персонаж персонажа
    хочу хочется     хотел хотела хотелось бы мне нужен нужна нужно нужны давай давайте дай дайте нарисуй
    нарисуйте сделай сделайте рисуй добавь     добавьте покажи это чтобы было был была в руке руках лапе лапах
    него нее у
"""
OPENINGS: Final = frozenset(_OPENINGS.split())
"""Left out at the start: "пусть держит катану", "в руках меч", "с катаной" all name the same thing."""

BEARERS: Final = frozenset({"самурай", "персонаж", "герой", "воин"})
"""Left out at the start where "с" or "держит" follows: the prompt says by itself who holds the thing."""

CLOSINGS: Final = frozenset({"в руке", "в руках", "в лапе", "в лапах", "в правой руке", "в левой руке", "в зубах"})
"""Left out at the end: the prompt says by itself that the thing is held."""
