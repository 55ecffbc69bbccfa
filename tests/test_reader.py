"""Tables for notebooks."""

import pytest

from forge.errors import InputError
from forge.reader import scan


@pytest.mark.parametrize("folder", ["other/month=2026-03", "merges/month=2026-03"])
def test_table_without_parts_was_never_built(tmp_path, folder):
    (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(InputError, match=f"^no table merges of 2026-03 in {tmp_path}\n"):
        scan("merges", month="2026-03", root=tmp_path)
