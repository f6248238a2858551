"""Sets of stickers as Telegram keeps them: created with a first sticker, at most 120 in each, owned by a user."""

import itertools
import json
import re
from collections.abc import Callable
from typing import Any

from tests.fakes.telegram_http import Refused
from tests.fakes.telegram_people import BOT_NAME

FULL = 120


class Packs:
    """`sets` maps a name to its stickers; `owners` are the users who have started the bot."""

    def __init__(self) -> None:
        self.sets: dict[str, list[dict[str, Any]]] = {}
        self.titles: dict[str, str] = {}
        self.owners = {700}
        self._numbers = itertools.count(1)

    def answer(self, method: str, fields: dict[str, str], stored: Callable[[str], str]) -> Any:
        """One call; `stored` keeps an upload and gives its file id."""
        if method == "deleteStickerFromSet":
            for stickers in self.sets.values():
                for sticker in stickers:
                    if sticker["file_id"] == fields["sticker"]:
                        stickers.remove(sticker)
                        return True
            raise Refused(400, "Bad Request: STICKER_INVALID")
        name = fields["name"]
        if method == "getStickerSet":
            if name not in self.sets:
                raise Refused(400, "Bad Request: STICKERSET_INVALID")
            return {"name": name, "title": self.titles[name], "sticker_type": "regular", "stickers": self.sets[name]}
        if int(fields["user_id"]) not in self.owners:
            raise Refused(400, "Bad Request: PEER_ID_INVALID")
        if method == "createNewStickerSet":
            if not re.fullmatch(rf"[a-z][a-z0-9]*(_[a-z0-9]+)*_by_{BOT_NAME}", name, re.I) or len(name) > 64:
                raise Refused(400, "Bad Request: invalid sticker set name is specified")
            if not 1 <= len(fields["title"]) <= 64:
                raise Refused(400, "Bad Request: invalid sticker set title is specified")
            if name in self.sets:
                raise Refused(400, "Bad Request: sticker set name is already occupied")
            (given,) = json.loads(fields["stickers"])
            self.sets[name], self.titles[name] = [], fields["title"]
        else:
            if name not in self.sets:
                raise Refused(400, "Bad Request: STICKERSET_INVALID")
            given = json.loads(fields["sticker"])
        if len(self.sets[name]) >= FULL:
            raise Refused(400, "Bad Request: STICKERS_TOO_MUCH")
        words = given.get("keywords", [])
        if len(words) > 20 or sum(map(len, words)) > 64:
            raise Refused(400, "Bad Request: invalid sticker keywords")
        file_id = stored(given["sticker"])
        self.sets[name].append(
            {
                "file_id": f"{file_id}-set", "file_unique_id": f"unique-{next(self._numbers)}", "type": "regular",
                "width": 512, "height": 512, "is_animated": False, "is_video": False, "emoji": given["emoji_list"][0],
                "set_name": name, "keywords": words,
            }
        )  # fmt: skip
        return True
