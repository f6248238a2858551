"""What text in a language looks like: its letters, the most frequent first, and the encodings it was written in.

Used to tell encodings apart (`decoding.py`). The order is that of published letter counts; how often the first letter
is used hardly differs between alphabets, and the rest falls off about exponentially.
"""

import unicodedata
from dataclasses import dataclass

_WESTERN = ("cp1252", "iso8859-15", "mac-roman", "cp850")
_CENTRAL = ("cp1250", "iso8859-2", "cp852")


@dataclass(frozen=True)
class Language:
    """One language. `letters` are those beyond ASCII, in lower case; for East Asian ones the most frequent 60 to 150.

    `blocks` are ranges of code points where those are not all the letters.
    """

    name: str
    encodings: tuple[str, ...]
    letters: str
    blocks: tuple[tuple[int, int], ...] = ()

    @property
    def dense(self) -> bool:
        """Whether it is written in thousands of letters, without spaces, so that ASCII letters may touch its own."""
        return bool(self.blocks)

    @property
    def latin(self) -> bool:
        """Whether it is written with ASCII letters and some of its own."""
        return not self.dense and self.letters[0].isalpha() and unicodedata.name(self.letters[0]).startswith("LATIN")


_CYRILLIC = ("cp1251", "koi8-r", "koi8-u", "cp866", "iso8859-5", "mac-cyrillic")
_KANA = "".join(map(chr, range(0x3041, 0x30FD)))
_SIMPLIFIED = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种"
    "面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本"
    "去把性好应开它合还因由其些然前外天手拿武士红黑白色金木头图画"
)
_TRADITIONAL = (
    "的一是在不了有和人這中大為上個國我以要他時來用們生到作地於出就分對成會可主發年動同工也能下過子說產種"
    "面而方後多定行學法所民得經十三之進著等部度家電力裡如水化高自二理起小物現實加量都兩體制機當使點從業本"
    "去把性好應開它合還因由其些然前外天手拿武士紅黑白色金木頭圖畫"
)
_SYLLABLES = (
    "이다의는에을가고하기지로한사도인자리를정대어시아나은서그부전수제일보스해과장주상원들구유라만게여무성일오조동"
)
"""Everyday letters of East Asian languages: the most frequent of running text, and what pictures are named with."""
LANGUAGES = (
    Language("Russian", _CYRILLIC, "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"),
    Language("Ukrainian", _CYRILLIC, "оанивеітрсклудмпяьзгбчхйжцюшїщєфґ"),
    Language("Belarusian", _CYRILLIC, "анікраоеслтядуывпмзьгдўбчшхжцэюёфй"),
    Language("Bulgarian", _CYRILLIC, "аоеитнрсвлкдпмъзгубчяцщжшйхюфь"),
    Language("Serbian", ("cp1251", "iso8859-5"), "аиоенрстујвкдплмзгбшчцњћхжљђфџ"),
    Language("Greek", ("cp1253", "iso8859-7"), "αοιετσνςηρπκυμλίόάγήέώθδύφωχβξζψϊϋΐΰ"),
    Language("Hebrew", ("cp1255", "iso8859-8"), "יוהלארתשבמםנעדחקפכגצזסןטךףץ"),
    Language("Arabic", ("cp1256", "iso8859-6"), "اليمنوترهبعدسفةقكحجشصىخطأثإزذضغئءظؤآ٠١٢٣٤٥٦٧٨٩"),
    Language("Thai", ("cp874",), "านรอกเงยลมดวสตทคบปหแขจพชถผซใไโศธณษภฟญฉฝฮฐอฤๆะัีิ่้ืุู็์ำึ๋๊ฎฏฆฌฑฒฬ"),
    Language("Japanese", ("cp932", "euc_jp"), _KANA, ((0x3041, 0x30FC), (0x4E00, 0x9FFF))),
    Language("Chinese", ("gb18030",), _SIMPLIFIED, ((0x4E00, 0x9FFF),)),
    Language("Chinese (traditional)", ("big5",), _TRADITIONAL, ((0x4E00, 0x9FFF),)),
    Language("Korean", ("cp949",), _SYLLABLES, ((0xAC00, 0xD7A3),)),
    Language("German", _WESTERN, "üäöß"),
    Language("French", _WESTERN, "éèàêçâôûùîïëœÿüæ"),
    Language("Spanish", _WESTERN, "óíáéñúü¿¡ªº"),
    Language("Portuguese", _WESTERN, "ãáéçíóêõúàâôü"),
    Language("Italian", _WESTERN, "èàùòìéóîí"),
    Language("Swedish or Finnish", _WESTERN, "äåöé"),
    Language("Danish or Norwegian", _WESTERN, "åøæé"),
    Language("Icelandic", _WESTERN, "áíðéöóþúæý"),
    Language("Dutch", _WESTERN, "ëéïèöü"),
    Language("Polish", _CENTRAL, "ąęłóżśćńź"),
    Language("Czech", _CENTRAL, "íáěéýřčžšůúťóňď"),
    Language("Slovak", _CENTRAL, "áíéčýšžúľťôóňďäŕĺ"),
    Language("Hungarian", _CENTRAL, "éáőöóüíúű"),
    Language("Romanian", _CENTRAL, "ăîâţşșț"),
    Language("Croatian", _CENTRAL, "čšžćđ"),
    Language("Turkish", ("cp1254", "iso8859-9"), "ıüşğçöâîû"),
    Language("Lithuanian", ("cp1257",), "ėųšžįąūęč"),
    Language("Latvian", ("cp1257",), "āīēšūķļņžčģ"),
    Language("Estonian", ("cp1257", "cp1252"), "äõüöšž"),
)  # fmt: skip
