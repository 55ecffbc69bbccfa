"""Shell commands of a project's automation, read for what they install and never run."""

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from forge.recipes.requirement_lines import joined

PACKAGE = re.compile(r"^[a-z0-9][a-z0-9+.-]+$")
FLAGS_OF_FILES = {"-r", "--requirement", "-e", "--editable", "-c", "--constraint", "--group"}
# What each tool's flags name, in the language of needs.
SYNCS = {
    ("uv", "sync"): {"--extra": ".[{}]", "--group": "group:{}", "--only-group": "group:{}"},
    ("poetry", "install"): {
        "--with": "group:{}", "--only": "group:{}", "-E": ".[{}]", "--extras": ".[{}]",
    },
    ("pdm", "install"): {"-G": "group:{}", "--group": "group:{}"},
    ("pdm", "sync"): {"-G": "group:{}", "--group": "group:{}"},
}  # fmt: skip
# Groups that a tool installs unasked.
UNASKED = {"uv": "group:dev", "poetry": "group:dev", "pdm": "group:dev"}


def commands(script: str) -> Iterator[list[str]]:
    """The words of each simple command of a script; lines that are no shell are passed over.

    >>> [*commands("cd a && pip install -e '.[test]'  # all")]
    [['cd', 'a'], ['pip', 'install', '-e', '.[test]']]
    """
    for line in joined(script):
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        try:
            words = [*lexer]
        except ValueError:
            continue
        yield from _parted(words)


def _parted(words: Iterable[str]) -> Iterator[list[str]]:
    command: list[str] = []
    for word in [*words, ";"]:
        if not set(word) <= set("&|;()"):
            command.append(word)
        elif command:
            yield command
            command = []


def installed(command: Sequence[str]) -> list[str]:
    """What a command installs into Python, as lines of a requirements file.

    >>> installed(["python", "-m", "pip", "install", "-U", "-r", "dev.txt", "-e", ".[test]"])
    ['-r dev.txt', '-e .[test]']
    >>> installed(["uv", "sync", "--group", "tests"])
    ['group:dev', 'group:tests']
    """
    for place, word in enumerate(command):
        rest = list(command[place + 1 :])
        if word in {"pip", "pip3"} and rest[:1] == ["install"]:
            return lines_of_words(rest[1:])
        if rest and (flags := SYNCS.get((word, rest[0]))):
            return _synced(word, rest[1:], flags)
    return []


def _synced(tool: str, words: list[str], flags: dict[str, str]) -> list[str]:
    named = [
        form.format(name)
        for flag, values in pairwise(words)
        if (form := flags.get(flag))
        for name in re.split(r"[ ,]+", values)
    ]
    is_whole = not {"--only", "--only-group", "--no-dev", "--prod"} & set(words)
    return [*([UNASKED[tool]] if is_whole else []), *named]


def lines_of_words(words: Iterable[str]) -> list[str]:
    """Words of pip's command line as lines of a requirements file: `-r x` belongs together."""
    lines: list[str] = []
    for word in words:
        if lines and lines[-1] in FLAGS_OF_FILES:
            lines[-1] = f"group:{word}" if lines[-1] == "--group" else f"{lines[-1]} {word}"
        else:
            lines.append(word)
    return [line for line in lines if not line.startswith("-") or line.split()[0] in FLAGS_OF_FILES]


def system_packages(command: Sequence[str]) -> list[str]:
    """Debian's packages that a command installs.

    >>> system_packages(["sudo", "apt-get", "-y", "install", "libxml2-dev", "$EXTRA"])
    ['libxml2-dev']
    """
    if not {"apt", "apt-get"} & set(command[:2]) or "install" not in command:
        return []
    return [word for word in command[command.index("install") + 1 :] if PACKAGE.match(word)]
