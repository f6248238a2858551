"""Asks Telegram (getChatMember) whether somebody is a member of a chat."""

import logging
from collections.abc import Sequence
from typing import Any

from telegram import ChatMemberRestricted
from telegram.constants import ChatMemberStatus
from telegram.error import BadRequest, Forbidden, TelegramError
from telegram.ext import ExtBot

log = logging.getLogger(__name__)

_MEMBERS = (ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR, ChatMemberStatus.MEMBER)


def counts(member: Any) -> bool:
    """Whether a ChatMember is in the chat; a restricted one may or may not be."""
    if isinstance(member, ChatMemberRestricted):
        return member.is_member
    return member.status in _MEMBERS


async def memberships(bot: "ExtBot[Any]", chats: Sequence[int], user_id: int) -> dict[int, bool]:
    """Chat to membership, up to the first chat that the person is in; chats whose call failed are left out."""
    found: dict[int, bool] = {}
    for chat in chats:
        try:
            found[chat] = counts(await bot.get_chat_member(chat, user_id))
        except (BadRequest, Forbidden) as error:
            if "chat not found" in str(error).lower() or isinstance(error, Forbidden):
                log.warning("bot.members_of %d: %s: is the bot in that chat?", chat, error)
            else:  # "user not found", "PARTICIPANT_ID_INVALID": not a member
                found[chat] = False
        except TelegramError as error:
            log.warning("bot.members_of %d: %s", chat, error)
        if found.get(chat):
            break
    return found
