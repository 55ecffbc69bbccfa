import gzip
import zlib
from pathlib import Path

import pytest
from archives import packed, push, trimmed
from isal import isal_zlib
from read_dumps import counted, read


def test_all_members_of_a_gzip_file_are_read_and_padding_is_not(tmp_path: Path) -> None:
    counts, rows = read(tmp_path, packed(trimmed()) + packed(push(), trimmed(number=8)) + b"\0" * 9)
    assert counted(counts) == (3, 0, 2, 2, None)
    assert rows["line"].to_list() == [1, 3]


def test_rubbish_after_a_member_is_damage(tmp_path: Path) -> None:
    whole = packed(trimmed())
    counts, _ = read(tmp_path, whole + b"rubbish" * 9)
    assert counts.merges == 1
    assert (
        counts.damage
        == f"broken gzip at byte {len(whole)}: Error -4 Invalid gzip/zlib wrapper found"
    )


def test_unknown_flags_in_the_header_of_a_member_are_damage(tmp_path: Path) -> None:
    flagged = bytearray(packed(trimmed()))
    flagged[3] = 0x40
    counts, _ = read(tmp_path, packed(trimmed()) + flagged)
    at = len(packed(trimmed()))
    assert counted(counts) == (1, 0, 1, 1, f"broken gzip at byte {at}: unknown flags 0x40")
    assert counted(read(tmp_path, bytes(flagged))[0])[:2] == (0, 0)


def test_every_cut_of_a_file_keeps_the_whole_lines_before_it(tmp_path: Path) -> None:
    events = [trimmed(number=n, head_sha=f"{n:040x}") for n in range(1, 60)]
    content = packed(*events)
    kept = [read(tmp_path, content[:cut])[0] for cut in [*range(1, len(content), 97), -1]]
    merges = [counts.merges for counts in kept]
    assert merges == sorted(merges)
    assert (merges[0], merges[-1]) == (0, 59)
    assert all(counts.damage and not counts.bad_lines for counts in kept)


def test_all_lines_before_a_break_are_kept_to_the_very_byte(tmp_path: Path) -> None:
    events = [trimmed(number=n, head_sha=f"{n:040x}") for n in range(1, 60)]
    lines = gzip.decompress(packed(*events)).splitlines(keepends=True)
    packer = zlib.compressobj(wbits=31)
    before = packer.compress(b"".join(lines[:40])) + packer.flush(zlib.Z_FULL_FLUSH)
    counts, rows = read(tmp_path, before + b"\xff" * 3_000)
    assert counts.damage == f"broken gzip at byte 0: {decompressed_badly(before)}"
    assert rows["number"].to_list() == [*range(1, 41)]


def test_cut_keeps_the_line_that_ends_in_its_last_bits(tmp_path: Path) -> None:
    cut = bytes.fromhex(
        "1f8b080000000000040304c14b0e82301405d079577173c725e9c7476dd7e1dc14fa50a294843071c0de3de732"
        "00c0b7d6c6024a9eab2c61d2342ee2b4d57c8bad49f69aee12bd9f72725993d01a806b6301c714c4e5189cd01a"
    )
    counts, _ = read(tmp_path, cut)
    assert counted(counts) == (3, 3, 0, 0, "gzip is cut off at byte 90")


def decompressed_badly(before: bytes) -> str:
    with pytest.raises(isal_zlib.error) as caught:
        isal_zlib.decompressobj(wbits=31).decompress(before + b"\xff" * 3_000)
    return str(caught.value)


def test_flipped_bit_is_damage(tmp_path: Path) -> None:
    content = bytearray(packed(*[trimmed(number=n) for n in range(1, 60)]))
    content[-6] ^= 1
    counts, _ = read(tmp_path, bytes(content))
    assert "broken gzip" in str(counts.damage)
