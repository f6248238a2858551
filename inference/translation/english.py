"""English plurals, for the nouns of the glossary."""

_IRREGULAR = {
    "man": "men", "woman": "women", "child": "children", "person": "people", "foot": "feet", "tooth": "teeth",
    "goose": "geese", "mouse": "mice", "ox": "oxen", "knife": "knives", "leaf": "leaves", "wolf": "wolves",
    "loaf": "loaves", "half": "halves", "elf": "elves", "shelf": "shelves", "thief": "thieves", "calf": "calves",
    "scarf": "scarves", "bookshelf": "bookshelves", "potato": "potatoes", "tomato": "tomatoes", "hero": "heroes",
    "echo": "echoes", "volcano": "volcanoes", "torpedo": "torpedoes", "tornado": "tornadoes", "mosquito": "mosquitoes",
    "mango": "mangoes", "lens": "lenses", "gas": "gases", "atlas": "atlases", "canvas": "canvases", "dice": "dice",
    "dwarf": "dwarves", "policeman": "policemen", "fisherman": "fishermen", "postman": "postmen", "snowman": "snowmen",
    "superhero": "superheroes", "bacterium": "bacteria", "sled": "sleds", "hoof": "hooves", "axe": "axes",
}  # fmt: skip

_NO_PLURAL = """
    sheep deer fish salmon trout tuna cod squid shrimp bread water milk tea coffee juice beer wine rice meat
    beef pork     lamb veal bacon ham cheese butter oil honey jam sugar salt flour pasta ramen sushi soup
    porridge ice snow rain sand     grass gold silver copper iron steel metal bronze wood paper money music
    news hair fur leather silk cotton wool     chess checkers golf armor popcorn chocolate garlic corn dill
    parsley mint ginger broccoli lettuce spinach furniture     clothes equipment lightning thunder fire smoke
    steam dust mud clay coal glue chalk ink soap shampoo toothpaste     lipstick mascara perfume fireworks
    fruit seafood seaweed caviar mustard ketchup mayonnaise samurai ninja katana kunai     shuriken nunchaku
    sai dominoes lego energy love magic electricity light space time sport bamboo moss lava     vodka cognac
    champagne whiskey rum lemonade soda cola kvass kefir cream yogurt candyfloss     gouache plasticine
    origami tofu kimchi wasabi moose bison aircraft spacecraft offspring
"""
_UNCOUNTABLE = frozenset(_NO_PLURAL.split())


def plural(noun: str) -> str:
    """`noun`, which may be several words, in the plural; unchanged where it has none or is one already.

    >>> plural("mug"), plural("bunch of keys"), plural("kitchen knife"), plural("scissors"), plural("bread")
    ('mugs', 'bunches of keys', 'kitchen knives', 'scissors', 'bread')
    """
    for link in (" of ", " with ", " for ", " on ", " in "):
        if link in noun:
            head, rest = noun.split(link, 1)
            return plural(head) + link + rest
    first, space, last = noun.rpartition(" ")
    return first + space + _plural_word(last)


def _plural_word(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word in _UNCOUNTABLE or (word.endswith("s") and not word.endswith(("ss", "us", "is"))):
        return word
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2:-1] not in ("", *"aeiou"):
        return word[:-1] + "ies"
    return word + "s"
