"""Shell commands of a project's automation, read for what they install and never run."""

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence

from forge.recipes.requirement_lines import joined

PACKAGE = re.compile(r"^[a-z0-9][a-z0-9+.-]+$")
FLAGS_OF_FILES = {"-r", "--requirement", "-e", "--editable", "-c", "--constraint", "--group"}
# Flags of pip and uv whose next word is theirs, and names no requirement.
VALUED = frozenset({
    "-i", "--index-url", "--extra-index-url", "--index", "--default-index", "-f",
    "--find-links", "-t", "--target", "-p", "--python", "--prefix", "--root", "-C",
    "--config-settings", "--config-setting", "--no-binary", "--only-binary",
    "--progress-bar", "--timeout", "--retries", "--cache-dir", "--log", "--resolution",
    "--prerelease", "--platform", "--implementation", "--abi", "--python-version",
    "--python-platform", "--upgrade-strategy", "--src", "--trusted-host", "--proxy",
    "--index-strategy", "--exclude-newer", "--refresh-package", "--use-feature",
    "--upgrade-package", "-P", "--override", "--build-constraint", "--torch-backend",
    "--link-mode",
})  # fmt: skip
# What runs tests or publishes, and is no part of what they import.
STARTERS = frozenset({
    "pip", "tox", "tox-gh", "tox-gh-actions", "tox-uv", "tox-pdm", "tox-conda", "nox",
    "nox-uv", "uv", "poetry", "pdm", "hatch", "pipenv", "twine", "codecov", "coveralls",
    "pre-commit", "check-manifest", "cibuildwheel", "invoke-release", "conda",
})  # fmt: skip
SHELL = frozenset(
    {
        "then",
        "do",
        "else",
        "if",
        "while",
        "until",
        "!",
        "{",
        "time",
        "exec",
        "command",
        "sudo",
        "env",
    }
)
MOST_LETTERS, MOST_HERE, LONGEST = 100_000, 50, 5_000
ASSIGNED = re.compile(r"^[A-Za-z_]\w*=")
HERE = re.compile(r"<<-?\s*['\"]?(\w+)['\"]?.*?^\s*\1\s*$", re.MULTILINE | re.DOTALL)


def commands(script: str) -> Iterator[list[str]]:
    """The words of each simple command of a script; lines that are no shell are passed over.

    >>> [*commands("cd a && pip install -e '.[test]'  # all")]
    [['cd', 'a'], ['pip', 'install', '-e', '.[test]']]
    """
    if script.count("<<") < MOST_HERE:
        script = HERE.sub("", script[:MOST_LETTERS])
    for line in joined(script[:MOST_LETTERS]):
        if len(line) > LONGEST:
            continue
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


def bare(command: Sequence[str]) -> list[str]:
    """A command without what the shell, sudo and env put before it, and without redirections.

    >>> bare(["if", "sudo", "-E", "A=1", "xvfb-run", "-a", "pytest", ">", "log"])
    ['pytest']
    """
    words = [*command]
    words = words[: next((n for n, word in enumerate(words) if set(word) <= set("<>&")), None)]
    while words:
        if words[0] in SHELL or ASSIGNED.match(words[0]):
            words = words[1:]
            while words and words[0] in {"-E", "-H", "-n"}:
                words = words[1:]
        elif words[0] in {"xvfb-run", "dbus-run-session", "catchsegv", "nice"}:
            words = _without_flags(words[1:])
        elif words[0] == "timeout":
            words = _without_flags(words[1:])[1:]
        else:
            break
    return words


def _without_flags(words: list[str]) -> list[str]:
    place = next((n for n, word in enumerate(words) if not word.startswith("-")), len(words))
    flag = words[place - 1] if place else ""
    return words[place + 1 :] if flag in {"-s", "-n", "--server-args"} else words[place:]


def installed(command: Sequence[str]) -> list[str]:
    """What a call of pip (or uv pip) installs, as lines of a requirements file.

    >>> installed(["python", "-m", "pip", "install", "-U", "-r", "dev.txt", "-e", ".[test]"])
    ['-r dev.txt', '-e .[test]']
    >>> installed(["uv", "pip", "sync", "dev.txt"])
    ['-r dev.txt']
    """
    for place, word in enumerate(command[:6]):
        rest = list(command[place + 1 :])
        if re.match(r"^(pip[\d.]*|.*/pip3?)$", word) and "install" in rest[:3]:
            return lines_of_words(rest[rest.index("install") + 1 :])
        if word == "pip" and rest[:1] == ["sync"]:
            return [f"-r {name}" for name in _positional(rest[1:])]
    return []


def lines_of_words(words: Iterable[str]) -> list[str]:
    """Words of pip's command line as lines of a requirements file: `-r x` belongs together.

    >>> lines_of_words(["-i", "https://x", "--group=a", "tox", "mock>=2", ".", "--extra", "b"])
    ['group:a', 'mock>=2', '.', '.[b]']
    """
    lines = [line for line in _paired(words) if line.partition(" ")[0] not in VALUED]
    return [line for line in map(_line, lines) if line and _name(line) not in STARTERS]


def _paired(words: Iterable[str]) -> list[str]:
    pairs: list[str] = []
    for word in words:
        if pairs and pairs[-1] in FLAGS_OF_FILES | VALUED | {"--extra"}:
            pairs[-1] = f"{pairs[-1]} {word}"
        elif word.strip():
            pairs.append(word.strip())
    return pairs


def _line(pair: str) -> str:
    flag, _, value = (
        pair.replace("=", " ", 1).partition(" ") if pair[:2] == "--" else (pair, "", "")
    )
    if flag == "--group":
        return f"group:{value.rpartition(':')[2]}"
    if flag in {"--extra", "--all-extras"}:
        return f".[{value or '*'}]"
    if pair.startswith("-") and re.split(r"[ =]", pair, maxsplit=1)[0] not in FLAGS_OF_FILES:
        return ""
    # Constraints choose versions for a day of their own; the lock has the merge's.
    return "" if pair.startswith(("-c", "--constraint")) else pair


def _name(line: str) -> str:
    return re.split(r"[^\w.-]", line, maxsplit=1)[0].lower()


def _positional(words: Iterable[str]) -> list[str]:
    return [word for word in _paired(words) if not word.startswith("-")]


def values(words: Sequence[str], *flags: str) -> list[str]:
    """Values of flags, in all the ways in which they may be written."""
    found: list[str] = []
    for place, word in enumerate(words):
        name, _, value = word.partition("=")
        if name in flags:
            found += [value] if value else words[place + 1 : place + 2]
        elif word[:2] in flags and len(word) > 2 and word[1] != "-":
            found.append(word[2:].lstrip("="))
    return found


def operands(words: Sequence[str], valued: set[str]) -> list[str]:
    """Words that are neither a flag nor the value of one of these flags."""
    pairs = zip(["", *words], words, strict=False)
    return [word for before, word in pairs if word[:1] != "-" and before not in valued]


def system_packages(command: Sequence[str]) -> list[str]:
    """Debian's packages that a command installs.

    >>> system_packages(["sudo", "apt-get", "-y", "install", "libxml2-dev", "$EXTRA"])
    ['libxml2-dev']
    """
    words = bare(command)
    if words[:1] not in (["apt"], ["apt-get"], ["aptitude"]) or "install" not in words:
        return []
    pairs = words[words.index("install") + 1 :]
    named = [w for n, w in enumerate(pairs) if n == 0 or pairs[n - 1] not in {"-o", "-t", "-c"}]
    return debian(named)


# Ubuntu's names of what Debian calls otherwise. Debian's own Python serves nobody here.
UBUNTU = {
    "chromium-browser": "chromium",
    "libgl1-mesa-glx": "libgl1",
    "libegl1-mesa": "libegl1",
    "mysql-client": "default-mysql-client",
    "libmysqlclient-dev": "default-libmysqlclient-dev",
    "docker-compose-v2": "",
}
PYTHONS = re.compile(
    r"^(lib)?python3?(\.\d+)?(-|$)|^(software-properties-common|pipx|snapd|language-pack-.*)$"
)


def debian(names: Iterable[str]) -> list[str]:
    """The names of packages as Debian has them.

    >>> debian(["libasound2t64", "python3-pip", "libgl1-mesa-glx", "$X", "tcl=8.6*"])
    ['libasound2', 'libgl1', 'tcl']
    """
    bare_names = [re.sub(r"(?<=\d)t64$", "", name.partition("=")[0]) for name in names]
    known = [n for n in bare_names if PACKAGE.match(n) and not PYTHONS.match(n)]
    return [name for n in known if (name := UBUNTU.get(n, n))]
