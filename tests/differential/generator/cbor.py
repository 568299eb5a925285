"""CBOR (RFC 8949) by parts, so that a change can write what an encoder of values would not."""

from collections.abc import Iterable

UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG = range(7)
BREAK = b"\xff"
TRUE, NULL = b"\xf5", b"\xf6"

Pairs = Iterable[tuple[bytes, bytes]]


def head(major: int, argument: int, width: int | None = None) -> bytes:
    """The head of a data item: as short as it can be, or with its argument in `width` bytes."""
    if width is None:
        if argument < 24:
            return bytes([major << 5 | argument])
        width = next(width for width in (1, 2, 4, 8) if argument < 1 << 8 * width)
    return bytes([major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[width]]) + argument.to_bytes(width, "big")


def integer(number: int) -> bytes:
    return head(UNSIGNED, number) if number >= 0 else head(NEGATIVE, -1 - number)


def text(value: str) -> bytes:
    encoded = value.encode()
    return head(TEXT, len(encoded)) + encoded


def data(value: bytes, width: int | None = None) -> bytes:
    return head(BYTES, len(value), width) + value


def array(items: Iterable[bytes]) -> bytes:
    items = list(items)
    return head(ARRAY, len(items)) + b"".join(items)


def mapping(pairs: Pairs) -> bytes:
    """The pairs in the order in which they come, none left out."""
    pairs = list(pairs)
    return head(MAP, len(pairs)) + b"".join(key + value for key, value in pairs)


def indefinite(pairs: Pairs) -> bytes:
    """The map of these pairs without its length."""
    return bytes([MAP << 5 | 31]) + b"".join(key + value for key, value in pairs) + BREAK


def tagged(tag: int, item: bytes) -> bytes:
    return head(TAG, tag) + item
