import json
import re
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

Event = dict[str, Any]


def lines(made: Path, hour: str) -> list[bytes]:
    """What can be inflated, whole or not."""
    inflate = zlib.decompressobj(wbits=31)
    return inflate.decompress((made / "archive" / f"{hour}.json.gz").read_bytes()).splitlines()


def events(made: Path) -> list[Event]:
    hours = [p.name.removesuffix(".json.gz") for p in (made / "archive").iterdir()]
    found = [line for hour in sorted(hours) for line in lines(made, hour)]
    return [json.loads(line) for line in found if line.endswith(b"}")]


def merges(made: Path) -> list[str]:
    return [
        f"{e['repo']['name']}#{e['payload']['number']}"
        for e in events(made)
        if e["type"] == "PullRequestEvent" and e["payload"]["action"] == "merged"
    ]


def test_hours_are_two_days_of_march_less_four(made: Path) -> None:
    hours = {f"2026-03-0{day}-{hour}.json.gz" for day in (2, 3) for hour in range(24)}
    absent = {f"2026-03-{h}.json.gz" for h in ("02-3", "02-4", "03-2", "03-21")}
    assert {p.name for p in (made / "archive").iterdir()} == hours - absent


def test_every_line_but_one_is_an_event_of_its_hour(made: Path) -> None:
    garbage = 0
    for path in (made / "archive").iterdir():
        day, hour = re.fullmatch(r"(\d+-\d+-\d+)-(\d+)\.json\.gz", path.name).groups()  # type: ignore[union-attr]
        for line in lines(made, f"{day}-{hour}"):
            if line.endswith(b"}"):
                assert json.loads(line)["created_at"].startswith(f"{day}T{int(hour):02}:")
            else:
                garbage += 1
    assert garbage == 1


def test_most_events_are_pushes_and_some_are_pull_requests(made: Path) -> None:
    kinds = Counter(e["type"] for e in events(made))
    assert kinds.most_common(1)[0][0] == "PushEvent"
    assert 0.05 < kinds["PullRequestEvent"] / kinds.total() < 0.12


def test_every_merge_is_of_our_world(made: Path) -> None:
    assert sorted(merges(made)) == [
        "brokenyard/gnomon#4",
        "brokenyard/sundial#1",
        "ghosted/lostandfound#5",
        "gullwing/ferry#9",
        "gullwing/tally#4",
        "harborlight/semaphore#6",
        *(f"kestrel-labs/ledgerline#{n}" for n in (41, 42, 43, 44, 45)),
        *(f"lanternworks/tidytext#{n}" for n in (12, 12, 13, 15, 16, 17, 18, 19, 20, 21)),
        *(f"mossgarden/colorpot#{n}" for n in (21, 22, 23, 24, 25)),
        "mudlark/pocket#1",
        "oldmill/almanac#3",
        *(f"orrery-io/timetable#{n}" for n in (7, 8, 9)),
        *(f"papertrail/glyphs#{n}" for n in (3, 4, 5, 6)),
        "quarrel/fletching#11",
        "saltmarsh/tinybus#88",
        "stray-cat/tidytext#2",
        "windrow/peaflour#2",
    ]


def test_a_duplicate_is_equal_byte_for_byte(made: Path) -> None:
    found = [line for line in lines(made, "2026-03-02-9") if b'"action":"merged"' in line]
    assert len(found) == 2
    assert len(set(found)) == 1


def test_a_cut_off_hour_keeps_the_whole_lines_before_the_break(made: Path) -> None:
    path = made / "archive" / "2026-03-03-17.json.gz"
    inflate = zlib.decompressobj(wbits=31)
    kept = inflate.decompress(path.read_bytes())
    assert not inflate.eof
    assert kept.endswith(b"}\n")
    assert b'"created_at":"2026-03-03T17:12:30Z"' in kept
    assert b'"created_at":"2026-03-03T17:51:06Z"' not in kept


def shape(value: object) -> object:
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(inner) for inner in value] if isinstance(value, list) else type(value)


def real(shared: Path, kind: str) -> Event:
    path = shared / "data/gharchive/trimmed/2026-08-12-14_four_real_events.ndjson"
    found = [json.loads(line) for line in path.read_text().splitlines()]
    return next(e for e in found if e["type"] == kind)


def test_a_labelled_pull_request_has_the_shape_of_a_real_one(made: Path, shared: Path) -> None:
    ours = [e for e in events(made) if e["payload"].get("action") == "labeled"]
    theirs = real(shared, "PullRequestEvent")
    assert ours
    assert all(shape(e) == shape(theirs) for e in ours)


def test_a_push_has_the_shape_of_a_real_one(made: Path, shared: Path) -> None:
    ours = [e for e in events(made) if e["type"] == "PushEvent"]
    assert all(shape(e) == shape(real(shared, "PushEvent")) for e in ours[:500])


def test_an_opened_issue_knows_nothing_that_real_ones_do_not(made: Path, shared: Path) -> None:
    ours = next(e for e in events(made) if e["type"] == "IssuesEvent")["payload"]["issue"]
    theirs = real(shared, "IssuesEvent")["payload"]["issue"]
    assert ours.keys() <= theirs.keys()
    assert ours["user"].keys() <= theirs["user"].keys()


def fits(value: Any, schema: Event, schemas: dict[str, Event]) -> bool:
    """Whether a value is what an OpenAPI schema asks for, as far as the schema is at hand."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return name not in schemas or fits(value, schemas[name], schemas)
    if schema.get("type") != "object":
        kinds = {"string": str, "integer": int, "boolean": bool, "array": list}
        return isinstance(value, kinds.get(schema.get("type", ""), object))
    properties = schema["properties"]
    return set(schema["required"]) <= value.keys() <= properties.keys() and all(
        fits(inner, properties[key], schemas) for key, inner in value.items()
    )


@pytest.fixture
def schemas(shared: Path) -> dict[str, Event]:
    return {
        p.stem.removeprefix("schema_"): json.loads(p.read_text())
        for p in (shared / "data/github").glob("schema_*.json")
    }


def test_every_event_is_what_github_documents(made: Path, schemas: dict[str, Event]) -> None:
    assert all(fits(e, schemas["event"], schemas) for e in events(made))


def test_every_pull_request_is_what_github_documents(made: Path, schemas: dict[str, Event]) -> None:
    ours = [e["payload"] for e in events(made) if e["type"] == "PullRequestEvent"]
    assert all(fits(payload, schemas["pull-request-event"], schemas) for payload in ours)
