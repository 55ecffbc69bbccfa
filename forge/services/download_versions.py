"""Which version of a file a server sends: what may be joined to what, and what must come out."""

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import msgspec

RANGE = re.compile(r"bytes (?P<first>[0-9]{1,18})-[0-9]+/(?P<total>[0-9]{1,18}|\*)")
NO_RANGE = re.compile(r"bytes \*/(?P<total>[0-9]{1,18})")
LENGTHS = {"md5": 16, "sha256": 32}
HASHES = {
    "x-goog-hash": re.compile(r"\b(?P<name>md5)=(?P<hash>[\w+/=]+)"),
    "repr-digest": re.compile(r"\b(?P<name>sha-256|md5)=:(?P<hash>[\w+/=]+):", re.IGNORECASE),
    "digest": re.compile(r"\b(?P<name>sha-256|md5)=(?P<hash>[\w+/=]+)", re.IGNORECASE),
    "content-md5": re.compile(r"(?P<name>)(?P<hash>[\w+/=]+)"),
}
# Within it a file may change twice under one date.
SHARPNESS = timedelta(minutes=1)


class Version(msgspec.Struct, frozen=True):
    """One state of a file, by what its server says of it."""

    url: str
    etag: str | None = None
    modified: str | None = None
    total: int | None = None
    checksums: dict[str, str] = {}

    @property
    def validator(self) -> str | None:
        """What a server takes as proof that we hold bytes of the same file."""
        return self.etag or self.modified


def version_of(response: httpx.Response, url: str) -> Version:
    """The version that a whole answer sends."""
    length = response.headers.get("Content-Length", "")
    return Version(
        url=url,
        etag=_etag(response.headers),
        modified=_modified(response.headers),
        total=int(length) if length.isdecimal() else None,
        checksums=_checksums(response.headers),
    )


def continued(version: Version, response: httpx.Response, held: int) -> Version | None:
    """The version, where an answer sends the rest of it from a byte on; else None."""
    found = RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if not found or int(found["first"]) != held or not _is_same(version, response.headers):
        return None
    total = version.total if found["total"] == "*" else int(found["total"])
    is_as_told = version.total in {None, total}
    return msgspec.structs.replace(version, total=total) if is_as_told else None


def _is_same(version: Version, headers: httpx.Headers) -> bool:
    # Not every server that sends parts heeds `If-Range`.
    if etag := _etag(headers):
        return etag == version.etag
    return version.modified is None or headers.get("Last-Modified") in {None, version.modified}


def size_of(response: httpx.Response) -> int | None:
    """The size of a file that a server says it has, as it sends none of it."""
    found = NO_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    return int(found["total"]) if found else None


def date(value: str | None) -> datetime | None:
    """A date in a header, UTC."""
    try:
        at = parsedate_to_datetime(value or "")
        return at.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def _etag(headers: httpx.Headers) -> str | None:
    etag = headers.get("ETag", "")
    return etag if etag.startswith('"') else None  # a weak one vouches for no byte


def _modified(headers: httpx.Headers) -> str | None:
    value = headers.get("Last-Modified")
    modified, now = date(value), date(headers.get("Date"))
    return value if modified and now and now - modified >= SHARPNESS else None


def _checksums(headers: httpx.Headers) -> dict[str, str]:
    found = {}
    for header, pattern in HASHES.items():
        for match in pattern.finditer(headers.get(header, "")):
            name = match["name"].lower().replace("-", "") or "md5"
            if checksum := _hexadecimal(match["hash"], LENGTHS[name]):
                found[name] = checksum
    return found


def _hexadecimal(text: str, length: int) -> str | None:
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error:
        return None
    return content.hex() if len(content) == length else None
