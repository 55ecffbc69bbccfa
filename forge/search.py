"""Where a word stands in bytes, by the C library: `bytes.find` takes twice as long."""

import ctypes
from collections.abc import Iterator

# Not CDLL: to let go of the interpreter and take it up again costs more than a search.
_memmem = ctypes.PyDLL(None).memmem
_memmem.restype = ctypes.c_void_p
_memmem.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]


def places_of(word: bytes, block: bytes, start: int, stop: int) -> Iterator[int]:
    """Where the word begins between two places of a block, in order.

    >>> list(places_of(b"ana", b"banana ana", 2, 10))
    [3, 7]
    """
    first = ctypes.cast(ctypes.c_char_p(block), ctypes.c_void_p).value or 0
    at, end = first + start, first + min(stop, len(block))
    while at < end and (found := _memmem(at, end - at, word, len(word))):
        yield found - first
        at = found + 1
