"""Addresses and the logins in them, kept apart: no text that forge makes of one holds a login."""

import base64
import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote

from pydantic import SecretStr

from forge.errors import InputError

PARTS = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:(?P<login>[^/?#]*)@)?(?P<rest>.*)", re.IGNORECASE
)
HOST = re.compile(r"(\[[0-9a-f:.]*\]|[^\s:@/?#\\]*)(:\d{1,5})?([/?#][^\s@]*)?", re.IGNORECASE)
LOGIN_IN_TEXT = re.compile(r"://[^\s'\"<>]*@")
ENDING = re.compile(r"[\s'\"<>]")
"""What ends an address in a text: a login that held it could not be masked there."""


class Login(NamedTuple):
    """A user and a password, for the one who is to be told them."""

    user: str
    password: str

    @property
    def basic(self) -> str:
        """What an HTTP header says of them."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


@dataclass(frozen=True)
class Address:
    """Where something is, as everybody may read it, and the login that it asks for."""

    url: str
    secret: SecretStr | None = None

    def __str__(self) -> str:
        return self.url

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return "/".join(self.url.split("/")[:3])

    @property
    def login(self) -> Login | None:
        """User and password."""
        if self.secret is None:
            return None
        user, _, password = self.secret.get_secret_value().partition(":")
        return Login(unquote(user), unquote(password))


def read(text: "str | Address") -> Address:
    """The address that a text says; InputError, which does not quote it, where a login hides in it.

    >>> read("https://ada:secret@example.org:8443/hours")
    Address(url='https://example.org:8443/hours', secret=SecretStr('**********'))
    >>> read("ssh://git@example.org/tool").url
    'ssh://git@example.org/tool'
    """
    if isinstance(text, Address):
        return text
    text = str(text)  # forge.toml may hold a number
    found = PARTS.fullmatch(text)
    if found is None:
        return Address(text)
    scheme, login, rest = found["scheme"], found["login"], found["rest"]
    if scheme.lower() == "file":
        return Address(text)
    if not HOST.fullmatch(rest) or (login and _is_unclear(scheme, login)):
        raise InputError(
            f"an address that begins with {scheme}:// cannot be read\n"
            "it is not shown, because it may hold a password: write what is special in a password "
            "as %XX, and for ssh use keys"
        )
    if scheme.lower() == "ssh" or not login:
        return Address(f"{scheme}://{login}@{rest}" if login else f"{scheme}://{rest}")
    return Address(f"{scheme}://{rest}", SecretStr(login))


def _is_unclear(scheme: str, login: str) -> bool:
    is_secret_of_ssh = scheme.lower() == "ssh" and ":" in login
    return is_secret_of_ssh or bool(ENDING.search(login)) or not unquote(login).isprintable()


def masked(text: str) -> str:
    """The text, with `***` for whatever could be a login in an address.

    >>> masked("no route to http://ada:se/cret@proxy:3128")
    'no route to http://***@proxy:3128'
    """
    return LOGIN_IN_TEXT.sub("://***@", text)
