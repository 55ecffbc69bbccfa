"""Logins in addresses: what can be read can also be hidden."""

import string
from contextlib import suppress

import pytest

from forge.address import masked, read
from forge.errors import InputError


@pytest.mark.parametrize("special", [*string.printable, "\u00a0", "\u2028"])
def test_every_password_that_can_be_read_is_masked_in_any_text(special):
    text = f"http://ada:pa{special}ss@proxy.example:3128"
    with suppress(InputError):
        assert read(text).secret
        assert "ss@" not in masked(f"no route to {text}")


@pytest.mark.parametrize("special", ["'", '"', "<", ">", " "])
def test_password_that_would_end_its_address_in_a_text_is_refused_unless_escaped(special):
    with pytest.raises(InputError, match="write what is special in a password as %XX") as error:
        read(f"http://ada:pa{special}ss@proxy.example:3128")
    assert "ss@" not in str(error.value)
    escaped = read(f"http://ada:pa%{ord(special):02X}ss@proxy.example:3128")
    assert (escaped.url, escaped.login) == ("http://proxy.example:3128", ("ada", f"pa{special}ss"))
