"""The proxies that this process was started with."""

import os

from forge.address import Address, read

KINDS = ("http", "https", "ftp", "all")


def proxies() -> dict[str, Address]:
    """Proxies by the names of the variables that set them."""
    names = [f"{kind}_proxy" for kind in KINDS]
    given = {n: os.environ[n] for name in names for n in (name, name.upper()) if os.environ.get(n)}
    return {name: read(url if "://" in url else f"http://{url}") for name, url in given.items()}


def exempt() -> dict[str, str]:
    """Hosts that no proxy stands before, by the names of the variables that say so."""
    return {name: os.environ[name] for name in ("no_proxy", "NO_PROXY") if os.environ.get(name)}


def told(scheme: str = "") -> str:
    """Those that addresses of a scheme, or any, go through, as everybody may read them."""
    found = proxies().items()
    return ", ".join(f"{n}={a}" for n, a in found if n.lower().startswith((scheme, "all_")))
