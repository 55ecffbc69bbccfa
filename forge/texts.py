"""Text files of users and strangers, read within bounds."""

import re
import tomllib
from pathlib import Path
from typing import Any

from forge.errors import InputError

MOST_BYTES = 20_000_000
QUOTED = re.compile(r"\"(?:\\.|[^\"\\\n])*\"?|'[^'\n]*'?")
# `tomllib` takes memory by the square of a key's parts: one of 200 kB asks for 40 GB.
DEEP_KEY = re.compile(r"(?<![\w-])(?:[\w-]+[ \t]*\.[ \t]*){64}")


def read_text(file: Path, hint: str = "name a text file") -> str:
    """The text of a file that the user names; InputError where it is none, or endless."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise InputError(f"{file} has more than {MOST_BYTES:,} bytes\n{hint}")
        return content.decode("utf-8-sig")  # some editors mark a text's beginning
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read: {error}\n{hint}") from None


def toml(text: str) -> dict[str, Any]:
    """What TOML says; TOMLDecodeError where it is none, or made to exhaust its reader."""
    if DEEP_KEY.search(QUOTED.sub("q", text)):
        raise tomllib.TOMLDecodeError("a key of more than 64 parts")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise tomllib.TOMLDecodeError(str(error)) from None
