"""Which row of `Events` a line gives, read from its pairs of key and value."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

REPOSITORY = re.compile(r"[A-Za-z0-9_-]{1,100}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
REF = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\]{1,250}")
TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:[Zz]|([+-]\d\d):?(\d\d))?", re.ASCII
)
# Whatever is escaped, but no half of a surrogate pair.
ESCAPED = re.compile(
    rb"(?:[^\\]|\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\(?!u[dD][89a-fA-F]).)*+", re.DOTALL
)
BROKEN = (ValueError, TypeError, OverflowError, RecursionError)

Row = dict[str, Any]


class Object(list[tuple[str, Any]]):
    """A JSON object as its pairs: what it says twice is here twice."""


def parsed(line: bytes) -> Object:
    """A line by the letter of JSON, but for what is no UTF-8: that is bad only where it is read."""
    if not ESCAPED.fullmatch(line):
        raise ValueError("half of a surrogate pair")
    decoder = json.JSONDecoder(
        object_pairs_hook=Object, parse_int=integer, parse_constant=no_constant
    )
    value = decoder.decode(line.decode("utf-8", "surrogateescape"))
    return an_object(value)


def integer(digits: str) -> int | float:
    # Python refuses more digits than these, and who reads the field refuses a float.
    return int(digits) if len(digits) <= 4300 else float(digits)


def no_constant(name: str) -> None:
    raise ValueError(name)


NEEDED = object()


def taken(pairs: Object, key: str, read: Callable[[Any], Any], otherwise: Any = NEEDED) -> Any:
    """The last value of a key, where every one can be read."""
    values = [read(value) for name, value in pairs if name == key]
    if not values and otherwise is NEEDED:
        raise ValueError(f"no {key}")
    return values[-1] if values else otherwise


def an_object(value: Any) -> Object:
    return of_type(Object, value)


def of_type(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(f"no {kind.__name__}")
    return value


def text(value: Any) -> str:
    of_type(str, value).encode()  # fails where the bytes were no UTF-8
    return value


def at_least(least: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if not least <= of_type(int, value) < 2**63:
            raise OverflowError(value)
        return value

    return read


def boolean(value: Any) -> bool:
    return of_type(bool, value)


def moment(value: Any) -> datetime:
    """A time in its own zone, if it has one, rounded half up to microseconds."""
    found = TIME.fullmatch(text(value))
    if not found:
        raise ValueError("no time")
    day, clock, fraction, hours, minutes = found.groups()
    digits = (fraction or "").ljust(7, "0")
    microseconds = int(digits[:6]) + (digits[6] >= "5")
    at = datetime.fromisoformat(f"{day} {clock}") + timedelta(microseconds=microseconds)
    if hours is None:
        return at
    return at.replace(tzinfo=datetime.strptime(f"{hours}:{minutes}", "%z").tzinfo)


def utc(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC).replace(tzinfo=None) if at and at.tzinfo else at


def a_list(value: Any) -> list[Any]:
    return of_type(list, value)


def or_null(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else read(value)


identity, count = or_null(at_least(1)), or_null(at_least(0))
word, flag, time = or_null(text), or_null(boolean), or_null(moment)


def text_or_number(value: Any) -> str:
    return str(value) if type(value) is int else text(value)


def account(value: Any) -> Row:
    pairs = an_object(value)
    return {key: taken(pairs, key, word, None) for key in ("login", "type")}


def fork(value: Any) -> int | None:
    return taken(an_object(value), "id", identity, None)


def side(value: Any) -> Row:
    pairs = an_object(value)
    return {
        "ref": taken(pairs, "ref", word, None),
        "sha": taken(pairs, "sha", word, None),
        "repository_id": taken(pairs, "repo", or_null(fork), None),
    }


def label(value: Any) -> str:
    return taken(an_object(value), "name", text)


def labels(value: Any) -> list[str]:
    return [label(item) for item in a_list(value)]


def repository(value: Any) -> Row:
    pairs = an_object(value)
    return {"id": taken(pairs, "id", at_least(1)), "name": taken(pairs, "name", text)}


SUBJECT = {
    **dict.fromkeys(("id", "number"), identity),
    **dict.fromkeys(("title", "body", "merge_commit_sha"), word),
    **dict.fromkeys(("user", "merged_by"), or_null(account)),
    **dict.fromkeys(("draft", "merged"), flag),
    **dict.fromkeys(("created_at", "merged_at"), time),
    **dict.fromkeys(("head", "base"), side),
    **dict.fromkeys(("commits", "additions", "deletions", "changed_files"), count),
    "labels": or_null(labels),
}
NOBODY = {"login": None, "type": None}
NOWHERE = {"ref": None, "sha": None, "repository_id": None}


def subject(value: Any) -> Row:
    """A pull request or an issue."""
    pairs = an_object(value)
    otherwise = {"head": NOWHERE, "base": NOWHERE}
    return {key: taken(pairs, key, read, otherwise.get(key)) for key, read in SUBJECT.items()}


PAYLOAD = {
    **dict.fromkeys(("pull_request", "issue"), or_null(subject)),
    "number": identity,
    "labels": or_null(labels),
}


def payload(value: Any) -> Row:
    pairs = an_object(value)
    known = {key: taken(pairs, key, read, None) for key, read in PAYLOAD.items()}
    return known | {"action": taken(pairs, "action", text)}


def read_event(event: Object) -> Row:
    """The columns of an event, but for its hour and line."""
    kind, repo = taken(event, "type", text), taken(event, "repo", repository)
    said = taken(event, "payload", payload)
    told = said["issue" if kind == "IssuesEvent" else "pull_request"]
    if told is None or not REPOSITORY.fullmatch(repo["name"]):
        raise ValueError("no owner/name, or nothing told")
    if (number := said["number"] or told["number"]) is None:
        raise ValueError("no number")
    is_pull, action = kind == "PullRequestEvent", said["action"]
    return {
        "type": kind,
        "event_id": taken(event, "id", or_null(text_or_number), None),
        "created_at": utc(taken(event, "created_at", moment)),
        "action": action,
        "is_merge": is_pull
        and (action == "merged" or (action == "closed" and told["merged"] is True)),
        "repository_id": repo["id"],
        "repo": repo["name"],
        "number": number,
        "pull_request_id": told["id"] if is_pull else None,
        "actor": (taken(event, "actor", or_null(account), None) or NOBODY)["login"],
        "labels": said["labels"] if told["labels"] is None else told["labels"],
        **facts(told),
    }


def facts(told: Row) -> Row:
    author, merger = told["user"] or NOBODY, told["merged_by"] or NOBODY
    head, base = told["head"], told["base"]
    same = ("title", "body", "commits", "additions", "deletions", "changed_files")
    return {key: told[key] for key in same} | {
        "author": author["login"],
        "author_type": author["type"],
        "merger": merger["login"],
        "is_draft": told["draft"],
        "opened_at": utc(told["created_at"]),
        "merged_at": utc(told["merged_at"]),
        "merge_commit": only(SHA, told["merge_commit_sha"]),
        "head_sha": only(SHA, head["sha"]),
        "head_ref": only(REF, head["ref"]),
        "head_repository_id": head["repository_id"],
        "base_ref": only(REF, base["ref"]),
        "base_sha": only(SHA, base["sha"]),
    }


def only(shape: re.Pattern[str], value: str | None) -> str | None:
    return value if value and shape.fullmatch(value) else None
