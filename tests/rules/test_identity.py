from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from forge.rules.identity import derived_id, is_repository


def test_derived_id_is_minus_the_first_62_bits_of_the_names_sha256() -> None:
    bits = f"{int(sha256(b'psf/requests').hexdigest(), 16):0256b}"[:62]
    assert derived_id("psf/requests") == -int(bits, 2) == -2951083003111279113


def test_derived_id_is_the_same_in_every_spelling() -> None:
    assert derived_id("PSF/Requests") == derived_id("psf/requests")


@given(st.text())
def test_what_passes_as_a_repository_has_one_owner_and_one_name(text: str) -> None:
    if is_repository(text):
        owner, name = text.split("/")
        assert owner not in {"", ".", ".."}
        assert name not in {"", ".", ".."}
