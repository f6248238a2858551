"""The rate limiter: 429 halts its own chat alone, photos pass before edits, edits are dropped instead of waiting."""

import asyncio
from typing import Any

import pytest
from telegram.error import RetryAfter

from bot.api.limiter import LAST_WORD, Bucket, PoliteLimiter


@pytest.fixture(autouse=True)
def _times_as_timedelta(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "true")  # as `bot.app.run` does


async def call(
    limiter: PoliteLimiter, done: list[str], name: str, chat: int, endpoint: str, waits: list[int], args: Any = None
) -> None:
    async def request() -> bool:
        if waits:
            raise RetryAfter(waits.pop())
        done.append(name)
        return True

    await limiter.process_request(request, (), {}, endpoint, {"chat_id": chat}, args)


def test_retry_after_halts_its_chat_and_no_other() -> None:
    async def scene() -> list[str]:
        limiter, done = PoliteLimiter(1000), list[str]()
        halted = asyncio.create_task(call(limiter, done, "halted", 1, "sendMessage", [1]))
        await asyncio.sleep(0.05)
        assert limiter.busy(1)
        assert not limiter.busy(2)
        await call(limiter, done, "other", 2, "sendMessage", [])
        await halted
        return done

    assert asyncio.run(scene()) == ["other", "halted"]


def test_edits_are_dropped_last_words_are_not() -> None:
    async def scene() -> list[str]:
        limiter, done = PoliteLimiter(1000), list[str]()
        with pytest.raises(RetryAfter):
            await call(limiter, done, "edit", 1, "editMessageText", [1])
        await call(limiter, done, "last", 2, "editMessageText", [1], LAST_WORD)
        return done

    assert asyncio.run(scene()) == ["last"]


def test_photos_pass_before_messages_and_edits() -> None:
    async def scene() -> list[str]:
        limiter, done = PoliteLimiter(20), list[str]()
        await asyncio.gather(*(call(limiter, [], "first", 100 + n, "sendMessage", []) for n in range(20)))
        kinds = ["editMessageText"] * 3 + ["sendMessage"] * 3 + ["editMessageMedia"] * 3
        await asyncio.gather(*(call(limiter, done, kind, n, kind, []) for n, kind in enumerate(kinds, start=1)))
        return done

    assert asyncio.run(scene()) == ["editMessageMedia"] * 3 + ["sendMessage"] * 3 + ["editMessageText"] * 3


def test_asking_about_members_waits_for_no_messages_pace_but_keeps_a_rest() -> None:
    async def scene() -> list[str]:
        limiter, done = PoliteLimiter(5), list[str]()
        rested = asyncio.create_task(call(limiter, done, "rested", 2, "getChatMember", [1]))
        asked = (call(limiter, done, "member", -1, "getChatMember", []) for _ in range(40))
        await asyncio.gather(*asked, call(limiter, done, "message", -1, "sendMessage", []), rested)
        return done

    assert asyncio.run(scene()) == ["member"] * 40 + ["message", "rested"]


def test_a_bucket_keeps_its_pace() -> None:
    bucket = Bucket(rate=2.0, burst=3, now=0.0)
    assert [bucket.wait(0.0) for _ in range(5)] == [0.0, 0.0, 0.0, 0.5, 1.0]
    assert bucket.level(10.0) == 3
