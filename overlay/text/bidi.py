"""Directions of text: the implicit part of the Unicode Bidirectional Algorithm (UAX #9, revision 50).

`clean_text` strips every embedding, override and isolate, so the explicit rules X1-X8 have nothing to do;
what remains are the paragraph level (P2, P3), the weak (W1-W7), neutral (N0-N2) and implicit (I1, I2) rules,
and reordering (L1, L2). Mirroring (L4) is the shaper's.
"""

import unicodedata
from collections.abc import Sequence

_NEUTRAL = ("B", "S", "WS", "ON")
_BRACKETS = dict(zip("([{\u2329\u27e8\u3008\u300a\u300c\u300e\u3010\u3014\uff08\uff3b\uff5b",
                     ")]}\u232a\u27e9\u3009\u300b\u300d\u300f\u3011\u3015\uff09\uff3d\uff5d", strict=True))  # fmt: skip


def paragraph_level(text: str) -> int:
    """Rules P2 and P3: 1 where the first strong character runs from right to left, else 0."""
    kinds = (unicodedata.bidirectional(c) for c in text)
    return next((0 if kind == "L" else 1 for kind in kinds if kind in ("L", "R", "AL")), 0)


def levels(text: str, base: int | None = None) -> list[int]:
    """The embedding level of each character; odd ones run from right to left. `base` overrules P2 and P3."""
    if not text:
        return []
    kinds = [unicodedata.bidirectional(c) or "L" for c in text]
    if base is None:
        base = paragraph_level(text)
    if base == 0 and not any(k in ("R", "AL", "AN") for k in kinds):
        return [0] * len(text)
    edge = "R" if base else "L"
    original = list(kinds)
    _resolve_weak(kinds, edge)
    _resolve_brackets(text, kinds, edge)
    _resolve_neutral(kinds, edge)
    result = [_implicit(base, kind) for kind in kinds]
    # L1: white space at the end of the line has the paragraph's level.
    for index in range(len(text) - 1, -1, -1):
        if original[index] not in ("WS", "S", "B", "BN"):
            break
        result[index] = base
    return result


def _implicit(base: int, kind: str) -> int:
    """Rules I1 and I2."""
    if base == 0:
        return {"R": 1, "AN": 2, "EN": 2}.get(kind, 0)
    return 1 if kind == "R" else 2


def _resolve_weak(kinds: list[str], edge: str) -> None:
    """Rules W1-W7, in place; BN (joiners) take the type before them."""
    previous = edge
    for i, kind in enumerate(kinds):  # W1; BN as NSM (UAX #9, 5.2)
        if kind in ("NSM", "BN"):
            kinds[i] = previous
        previous = kinds[i]
    strong = edge
    for i, kind in enumerate(kinds):  # W2, W3
        if kind in ("L", "R", "AL"):
            strong = kind
        elif kind == "EN" and strong == "AL":
            kinds[i] = "AN"
    kinds[:] = ["R" if kind == "AL" else kind for kind in kinds]
    for i in range(1, len(kinds) - 1):  # W4
        before, after = kinds[i - 1], kinds[i + 1]
        if before == after and ((kinds[i] == "ES" and before == "EN") or (kinds[i] == "CS" and before in ("EN", "AN"))):
            kinds[i] = before
    for i, kind in enumerate(kinds):  # W5, W6
        if kind == "ET":
            start = i
            while start > 0 and kinds[start - 1] == "ET":
                start -= 1
            end = i
            while end + 1 < len(kinds) and kinds[end + 1] == "ET":
                end += 1
            near_number = (start > 0 and kinds[start - 1] == "EN") or (end + 1 < len(kinds) and kinds[end + 1] == "EN")
            for k in range(start, end + 1):
                kinds[k] = "EN" if near_number else "ON"
        elif kind in ("ES", "CS"):
            kinds[i] = "ON"
    strong = edge
    for i, kind in enumerate(kinds):  # W7
        if kind in ("L", "R"):
            strong = kind
        elif kind == "EN" and strong == "L":
            kinds[i] = "L"


def _resolve_brackets(text: str, kinds: list[str], edge: str) -> None:
    """Rule N0, in place: a pair of brackets takes one direction, that of its content or of what precedes it."""
    stack: list[tuple[str, int]] = []
    pairs: list[tuple[int, int]] = []
    for i, char in enumerate(text):
        if kinds[i] != "ON":
            continue
        if char in _BRACKETS:
            stack.append((_BRACKETS[char], i))
        elif any(char == close for close, _ in stack):
            while stack[-1][0] != char:
                stack.pop()
            pairs.append((stack.pop()[1], i))

    def side(kind: str) -> str:
        return "R" if kind in ("R", "EN", "AN") else kind

    for start, end in sorted(pairs):
        inside = {side(kind) for kind in kinds[start + 1 : end]} & {"L", "R"}
        if edge in inside:
            direction = edge
        elif inside:
            before = next((side(k) for k in reversed(kinds[:start]) if side(k) in ("L", "R")), edge)
            direction = before if before in inside else edge
        else:
            continue
        kinds[start] = kinds[end] = direction


def _resolve_neutral(kinds: list[str], edge: str) -> None:
    """Rules N1 and N2, in place: neutrals take the direction they stand in, numbers counting as R."""
    i = 0
    while i < len(kinds):
        if kinds[i] not in _NEUTRAL:
            i += 1
            continue
        end = i
        while end < len(kinds) and kinds[end] in _NEUTRAL:
            end += 1
        before = edge if i == 0 else ("L" if kinds[i - 1] == "L" else "R")
        after = edge if end == len(kinds) else ("L" if kinds[end] == "L" else "R")
        kinds[i:end] = [before if before == after else edge] * (end - i)
        i = end


def visual_order(run_levels: Sequence[int]) -> list[int]:
    """Rule L2: the indices of runs from left to right, given the level of each in logical order."""
    order = list(range(len(run_levels)))
    if not order:
        return order
    lowest_odd = min((level for level in run_levels if level % 2), default=max(run_levels) + 1)
    for level in range(max(run_levels), lowest_odd - 1, -1):
        i = 0
        while i < len(order):
            if run_levels[order[i]] < level:
                i += 1
                continue
            end = i
            while end < len(order) and run_levels[order[end]] >= level:
                end += 1
            order[i:end] = order[i:end][::-1]
            i = end
    return order
