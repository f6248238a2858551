"""Words in the names of files, in any script: what a name says is held, and whether it says anything at all."""

import re
import unicodedata

import regex

_BETWEEN = regex.compile(r"[^\p{L}\p{M}\p{N}\u200c\u200d]+")
"""Combining marks belong to their letters; the joiners stand inside words of Indic scripts and Persian."""
_WORDS = """
img image imag dsc dscn dscf dsci mg pxl pict pic pics picture photo photos sam gopr dji mvimg vid mov cimg kif
imgp
burst cover portrait edit edited hdr pano night
screenshot screen shot scan scanned capture untitled unnamed noname download downloaded downloads file new temp
tmp
copy final version ver output out result results sample grid comfyui sd flux midjourney dalle upscaled upscale
export
thumb thumbs thumbnail small large jpg jpeg png webp heic
whatsapp telegram signal viber fb messenger instagram received image0 orig original
samurai badge badges sticker avatar самурай бейдж значок
без названия безымянный изображение изображения снимок экрана скриншот фото фотография картинка рисунок
скачанные файлы
новый новая копия файл bild unbenannt kopie neu sin titulo título imagen captura pantalla copia sans titre
capture écran
copie immagine senza titolo obraz zdjęcie kopia imagem sem título
无标题 图片 未命名 截图 屏幕截图 照片 下载 副本 名称未設定 スクリーンショット 画像 写真 無題 제목 없음 사진 스크린샷
"""
_SAYS_NOTHING = frozenset(_WORDS.split())
"""What cameras, programs and systems call files by themselves, in their users' languages; and what all pictures of the
set show."""
_LINKS = frozenset(("at", "from", "of", "am", "pm", "от", "в", "the", "a", "x", "no", "um", "le", "de", "à"))
_CAMERAS = frozenset(("img", "image", "dsc", "dscn", "dscf", "pxl", "pic", "picture", "photo", "фото"))


def words(text: str) -> str:
    """`text` as words with single spaces, in NFC."""
    return " ".join(_BETWEEN.split(unicodedata.normalize("NFC", text))).strip()


def object_in_name(stem: str) -> str:
    """What the file name says is held: `samurai_with_magnifying_glass-2` gives `magnifying glass`, `IMG_1` nothing."""
    said = words(stem)
    found = re.search(r"(?:^|\s)(?:with|holding|holds)\s+(?:an?\s+)?(\S.*)$", said, re.IGNORECASE)
    thing = found[1] if found else said
    thing = re.sub(r"\s+\d+$", "", thing).strip().lower()
    if _says_nothing(thing):
        return ""
    first, _, rest = thing.partition(" ")
    return rest if rest and first in _CAMERAS and not _says_nothing(rest) else thing


def _says_nothing(thing: str) -> bool:
    """Whether only what cameras, programs and systems write by themselves is left of a name."""
    if re.fullmatch(r"[0-9a-f ]{8,}", thing) and any(char.isdigit() for char in thing):
        return True  # a hash or a UUID
    left = [word for word in thing.split() if not _is_a_number(word)]
    left = [word for word in left if word.rstrip("0123456789") not in _SAYS_NOTHING and word not in _SAYS_NOTHING]
    left = [word for word in left if word not in _LINKS]
    return not left or (len(left) == 1 and len(left[0]) == 1 and left[0].isascii())


def _is_a_number(word: str) -> bool:
    """A number, a size such as `1024x1024`, a date such as `20251111t0930`, or a hash."""
    if re.fullmatch(r"[\d]+(x\d+|px|[a-z])?|v\d+|\d+t\d+z?|p\d{4,}", word):
        return True
    return re.fullmatch(r"[0-9a-f]{6,}", word) is not None and any(char.isdigit() for char in word)
