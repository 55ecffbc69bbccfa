"""What the message of a merge says of its pull request."""

import re
from typing import NamedTuple

import polars as pl

from forge.rules.wording import COMMENT

NUMBER = re.compile(r"\s*\(#\d+\)$")
MERGED_FROM = re.compile(r"^Merge pull request #\d+ from ([A-Za-z0-9-]+)/\S+")
NOREPLY = re.compile(r"(?:\d+\+)?([A-Za-z0-9-]+(?:\[bot\])?)@users\.noreply\.github\.com")
BORS = re.compile(r"Merge (#\d+ ?)+$")
BORS_TITLE = re.compile(r"^\d+: | r=\S.* a=\S+$")
CUT = "…"
CLOSES = (
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\b:?\s+"
    r"(?:https?://[\w.-]+//issues/|#)[0-9]{1,9}\b"
)


class Words(NamedTuple):
    """A title and the rest."""

    title: str | None
    body: str | None


def of_squash(message: str) -> Words:
    r"""The subject without its number, and the body; a title that GitHub cut is whole again.

    >>> of_squash("Fix the parser for … (#12)\n\n…nested lists\n\nThey nest.")
    Words(title='Fix the parser for nested lists', body='They nest.')
    """
    subject, _, rest = message.partition("\n")
    title, body = NUMBER.sub("", subject.strip()), rest.strip()
    if title.endswith(CUT) and body.startswith(CUT):
        continued, _, body = body.partition("\n")
        title = title[: -len(CUT)] + continued[len(CUT) :].strip()
    return Words(title or None, body.strip() or None)


def of_merge(message: str) -> Words:
    r"""The first line of the body, and what follows it; a merge without a body has no title.

    >>> of_merge("Merge pull request #5 from ann/fix\n\nFix the parser\n\nIt was wrong.")
    Words(title='Fix the parser', body='It was wrong.')
    """
    subject, _, text = message.partition("\n")
    title, _, rest = text.strip().partition("\n")
    if BORS.match(subject):
        title = BORS_TITLE.sub("", title)
    return Words(title.strip() or None, rest.strip() or None)


def login_of(name: str, email: str) -> str:
    """The login in a GitHub address that takes no mail, else the name.

    >>> login_of("Ann Ash", "123+ann@users.noreply.github.com")
    'ann'
    """
    found = NOREPLY.fullmatch(email)
    return found[1] if found else name


def fork_owner(subject: str) -> str | None:
    """Whose branch a merge took, by GitHub's own subject."""
    found = MERGED_FROM.match(subject)
    return found[1] if found else None


def is_bot(name: str, email: str) -> bool:
    """Whether a commit's author says that it is a GitHub app."""
    return name.endswith("[bot]") or "[bot]@" in email


def linked_issues(words: pl.Expr, repo: pl.Expr) -> pl.Expr:
    """Numbers of the issues of this repository that a text says to close; templates say nothing."""
    own = repo.str.to_lowercase()
    told = words.str.replace_all(COMMENT, "").str.to_lowercase()
    # Its name is taken out of the text: to compile a pattern for each costs 3 ms.
    told = told.str.split(pl.format("/{}/issues/", own)).list.join("//issues/")
    told = told.str.split(pl.format("{}#", own)).list.join("#")
    number = pl.element().str.extract(r"([0-9]+)$").cast(pl.Int64)
    return told.str.extract_all(CLOSES).list.eval(number).list.unique().list.sort()
