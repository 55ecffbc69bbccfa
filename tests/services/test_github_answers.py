import httpx
import pytest

from forge.services.github_answers import (
    LimitedError,
    OverloadedError,
    RefusedError,
    Reply,
    read,
)

DATE = {"date": "Sun, 01 Mar 2026 05:00:00 GMT"}
DOCS = "https://docs.github.com/rest/overview/"
SECONDARY = {"message": "Wait.", "documentation_url": f"{DOCS}rate-limits#secondary-rate-limits"}
ABUSE = {"message": "Wait.", "documentation_url": f"{DOCS}resources#abuse-rate-limits"}
SPENT = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1772342100"}


def errors(**error: object) -> dict[str, object]:
    return {"errors": [{"message": "No.", **error}]}


def response(status: int, body: object, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=body, headers=DATE | named)


@pytest.mark.parametrize(
    ("status", "body", "headers", "seconds"),
    [
        (403, {"message": "API rate limit exceeded"}, SPENT, 900),
        (429, {"message": "API rate limit exceeded"}, SPENT, 900),
        (200, errors(type="RATE_LIMITED"), SPENT, 900),
        (200, errors(type="RATE_LIMIT", code="graphql_rate_limit"), SPENT, 900),
        (200, errors(extensions={"code": "RATE_LIMITED"}), SPENT, 900),
        (200, errors(type="RATE_LIMITED"), {}, None),
        (403, SECONDARY, {"retry-after": "30"}, 30),
        (429, SECONDARY, {"retry-after": "30"}, 30),
        (403, SECONDARY, {}, None),
        (403, ABUSE, {}, None),
        (429, {}, {}, None),
        (200, SECONDARY, {"retry-after": "30"}, 30),
        (200, errors(message="You have exceeded a secondary rate limit."), {}, None),
        (403, SECONDARY, {"retry-after": "Sun, 01 Mar 2026 05:02:00 GMT"}, 120),
    ],
)
def test_every_published_form_of_a_limit_is_known(status, body, headers, seconds):
    with pytest.raises(LimitedError) as limited:
        read(response(status, body, **headers))
    assert limited.value.seconds == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "99999999999999999999"}, 3600),
        ({"retry-after": "Fri, 01 Mar 2199 05:00:00 GMT"}, 3600),
        ({"retry-after": "Fri, 01 Mar 2019 05:00:00 GMT"}, 0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "٣"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9" * 40}, 3600),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, 0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "never"}, None),
        ({"x-ratelimit-remaining": "0"}, None),
    ],
)
def test_a_bad_header_never_waits_more_than_an_hour(headers, seconds):
    encoded = {name: value.encode() for name, value in headers.items()}
    with pytest.raises(LimitedError) as limited:
        read(httpx.Response(403, json=SECONDARY, headers=[*DATE.items(), *encoded.items()]))
    assert limited.value.seconds == seconds


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (502, "<html>502 Bad Gateway</html>"),
        (504, "<html>"),
        (200, '{"data":{"nodes":[{"numb'),
        (200, '{"errors":[{"message":"Something went wrong while executing your query"}]}'),
        (200, '{"data":null,"errors":[{"type":"RESOURCE_LIMITS_EXCEEDED","message":"Too much"}]}'),
        (200, '{"data":null,"errors":[{"type":"MAX_NODE_LIMIT_EXCEEDED","message":"Too much"}]}'),
        (200, "[]"),
    ],
)  # fmt: skip
def test_what_is_too_much_at_once_is_told_from_what_is_refused(status, body):
    with pytest.raises(OverloadedError):
        read(httpx.Response(status, text=body))


def test_a_refusal_says_its_status_and_words():
    with pytest.raises(RefusedError, match="status 401: Bad credentials") as refused:
        read(response(401, {"message": "Bad credentials"}))
    assert refused.value.status == 401


def test_each_null_has_the_error_of_its_own_place():
    body = {
        "data": {"n0": [{"name": "a"}, None, {"name": "c", "files": None}, None], "r1": None},
        "errors": [
            {"type": "NOT_FOUND", "path": ["n0", 1], "message": "No."},
            {"type": "RESOURCE_LIMITS_EXCEEDED", "path": ["n0", 2, "files"], "message": "No."},
            {"message": "Something failed.", "path": ["n0", 3]},
            {"type": "FORBIDDEN", "path": ["r1"], "message": "No."},
        ],
    }
    replies = read(response(200, body)).replies([*[("n0", n) for n in range(4)], ("r1",)])
    assert replies == [
        Reply({"name": "a"}),
        Reply(None, "NOT_FOUND"),
        Reply({"name": "c", "files": None}, "RESOURCE_LIMITS_EXCEEDED"),
        Reply(None, "UNKNOWN"),
        Reply(None, "FORBIDDEN"),
    ]
    assert [reply.may_pass for reply in replies] == [False, False, True, True, False]


def test_an_error_of_the_whole_call_is_an_error_of_every_question():
    body = {"data": {"n0": [{"name": "a"}, None]}, "errors": [{"type": "TIMEOUT", "message": ""}]}
    replies = read(response(200, body)).replies([("n0", 0), ("n0", 1)])
    assert [reply.is_heavy for reply in replies] == [True, True]
