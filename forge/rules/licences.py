"""The licence that a file's text is, by what only that licence says."""

import re
from collections.abc import Mapping

FILE = re.compile(r"(?i)^(licen[cs]e|copying|unlicense)([._-][\w.-]+)?$")
MAIN = re.compile(r"(?i)^(licen[cs]e|copying|unlicense)(\.(md|txt|rst))?$")
LONGEST = 3_000
"""Letters of a short licence with its copyright lines; a longer file says more than the licence."""
HEADED = {
    "AGPL-3.0": "gnu affero general public license version 3",
    "LGPL-3.0": "gnu lesser general public license version 3",
    "LGPL-2.1": "gnu lesser general public license version 2 1",
    "GPL-3.0": "gnu general public license version 3",
    "GPL-2.0": "gnu general public license version 2",
    "Apache-2.0": "apache license version 2 0",
    "MPL-2.0": "mozilla public license version 2 0",
}
GRANT = "permission is hereby granted free of charge to any person obtaining a copy of this"
BSD = "redistribution and use in source and binary forms with or without modification are permitted"
ISC = "permission to use copy modify and or distribute this software for any purpose with or"
KEEP = "redistributions in binary form must reproduce the above copyright notice"
SHORT = {
    "MIT": (GRANT, "the above copyright notice and this permission notice shall be included in"),
    "ISC": (ISC, "provided that the above copyright notice and this permission notice appear in"),
    "BSD-3-Clause": (BSD, KEEP, "may be used to endorse or promote products derived from"),
    "BSD-2-Clause": (BSD, KEEP),
    "Unlicense": ("this is free and unencumbered software released into the public domain",),
}
FOREIGN = ("commons clause", "all advertising materials", "business source license", "not for evil")


def licence_of(files: Mapping[str, bytes]) -> str | None:
    """SPDX id of licence files by name; None unless they agree on one that is known."""
    main = [content for name, content in files.items() if MAIN.match(name)]
    found = {spdx(content.decode(errors="replace")) for content in main or files.values()}
    return found.pop() if len(found) == 1 else None


def spdx(text: str) -> str | None:
    r"""SPDX id of one text; None where it is unknown, or more than the licence.

    >>> spdx("Apache License\nVersion 2.0, January 2004")
    'Apache-2.0'
    """
    plain = " ".join(re.findall(r"[a-z0-9]+", text.lower()))
    if any(words in plain for words in FOREIGN):
        return None
    for name, heading in HEADED.items():
        if heading in plain[:200]:
            return name
    if len(plain) > LONGEST:
        return None
    matches = [name for name, words in SHORT.items() if all(w in plain for w in words)]
    return (
        None
        if set(matches) - {"BSD-3-Clause", "BSD-2-Clause"} and len(matches) > 1
        else _first(matches)
    )


def _first(names: list[str]) -> str | None:
    return names[0] if names else None
