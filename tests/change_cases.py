"""Every kind of change that git can hold, as literal files before and after it."""

import random
from typing import NamedTuple

from trees import Files, executable, link, submodule

ONE, TWO = submodule("1" * 40), submodule("2" * 40)
MODULES = '[submodule "v"]\n\tpath = v\n\turl = ../v\n'
LATIN = "café\n".encode("latin-1")
MB_20 = 20 << 20
HALF = f"{'x' * 1023}\n" * (10 << 10)
RUN = "x\n" * 20


class Case(NamedTuple):
    """A change, and the reason for which it is refused, if it is."""

    before: Files
    after: Files
    reason: str = ""


def noise(size: int, seed: int = 0) -> bytes:
    """Bytes that no program makes fewer."""
    return random.Random(seed).randbytes(size)


def both(before: Files, after: Files) -> Case:
    """The same change to code and to tests."""
    sides = [files | {f"tests/{path}": files[path] for path in files} for files in (before, after)]
    return Case(*map(dict, sides))


def with_attributes(attributes: str, before: Files, after: Files) -> Case:
    """A change to code and tests under attributes, of which git holds other bytes than it shows."""
    stands = {".gitattributes": attributes}
    case = both(before, after)
    return Case(stands | dict(case.before), stands | dict(case.after))


KINDS = {
    "file becomes executable": both({"a": "x\n"}, {"a": executable("x\n")}),
    "file is executable no more": both({"a": executable("x\n")}, {"a": "y\n"}),
    "links are added": both(
        {"a": "x\n"},
        {
            "a": "x\n",
            "to a file": link("a"),
            "to a folder": link("tests"),
            "outside": link("/etc/passwd"),
            "above": link("../../../etc"),
            "to nothing": link("no such\nfile ü "),
        },
    ),
    "links change": both({"a": link("b"), "c": link("/")}, {"a": link("c"), "c": link("a")}),
    "links go": both({"a": link("b"), "b": "x\n"}, {"b": "x\n"}),
    "file becomes a link": both({"a": "b\n", "b": "b"}, {"a": link("b"), "b": link("/etc")}),
    "link becomes a file": both({"a": link("b"), "b": link("/etc")}, {"a": "b", "b": "b"}),
    "link becomes a folder": both({"a": link("b"), "c": link("/etc")}, {"a/b": "x", "c/d": "x"}),
    "folder becomes a link": both({"a/b": "x", "c/d": "x"}, {"a": link("b"), "c": link("/etc")}),
    "file becomes a folder": both({"a": "1\n"}, {"a/b/c": "1\n"}),
    "folder becomes a file": both({"a/b": "1\n", "a/c/d": "2\n", "a.b": "x\n"}, {"a": "1\n"}),
    "submodule is added": both({"a": "x\n"}, {"a": "x\n", "v": ONE, ".gitmodules": MODULES}),
    "submodule moves on": both({"v": ONE}, {"v": TWO}),
    "submodule moves away": both({"v": ONE}, {"w": ONE}),
    "submodule goes": both({"v": ONE, "a": "x\n"}, {"a": "x\n"}),
    "submodule becomes a file": both({"v": ONE}, {"v": "x\n"}),
    "submodule becomes a folder": both({"v": ONE}, {"v/a": "x\n"}),
    "file becomes a submodule": both({"v": "x\n"}, {"v": ONE}),
    "binary": both({"a": noise(9999), "gone": b"\0"}, {"a": noise(9999) + b"\1", "new": b"\0"}),
    "binary becomes text": both({"a": b"\0\1", "b": "x\n"}, {"a": "x\n", "b": b"\0\1"}),
    "a NUL far down": both({"a": "x" * 9000 + "\0\n"}, {"a": "y" * 9000 + "\0\n"}),
    "empty": both({"a": "", "b": "x\n", "gone": ""}, {"a": "x\n", "b": "", "new": ""}),
    "not UTF-8": both({"a": LATIN}, {"a": LATIN * 2, "b": b"\xff"}),
    "looks like a diff": both(
        {"a": "diff --git a/x b/x\n--- a/x\n+++ b/x\n"},
        {"a": "diff --git a/y b/y\n--- a/y\n-- a/x\n++ b/x\n@@ -1 +1 @@\nFrom 1\n-- \n2.39\n\n"},
    ),
    "20 MB changed in a line": Case(
        {"a": HALF * 2}, {"a": f"{HALF}x\n{HALF}", "tests/b": noise(10 << 20)}
    ),
    "moved and changed": Case({"a/b": RUN}, {"c/d": f"{RUN}y\n", "tests/d": RUN}),
    "moved between code and tests": Case(
        {"a": RUN, "tests/b": f"{RUN}y\n"}, {"tests/a": RUN, "b": f"{RUN}z\n"}
    ),
}
LINE_ENDS = {
    "DOS": both({"a": "1\r\n2\r\n"}, {"a": "1\r\n3\r\n"}),
    "DOS to UNIX and back": both({"a": "1\r\n2\r\n", "b": "1\n2\n"}, {"a": "1\n2\n", "b": "1\r\n"}),
    "mixed": both({"a": "1\r\n2\n3\r4\n\r\n"}, {"a": "1\r\n2\r\n3\r4\r5\n\n"}),
    "old Mac": both({"a": "1\r2\r3"}, {"a": "1\r2\r4"}),
    "other breaks": both({"a": "1\f\v\x1c\x85\u2028\n"}, {"a": "1\f\v\x1c\x85\u2028\u2029\n2"}),
    "no last one": both({"a": "1", "b": "1\n", "c": "1\n2"}, {"a": "1\n", "b": "1", "c": "1\n3"}),
}
NAMES = {
    "quotes": both({"a\"b'c": "1\n"}, {"a\"b'c": "2\n", '"': "x\n"}),
    "spaces": both({" a b ": "1\n", "a b/a b": ""}, {" a b ": "2\n", "a b/a b": executable("")}),
    "line breaks": both({"a\nb": "1\n", "\r": ""}, {"a\nb": "2\n", "x\n": "1\n"}),
    "tabs": both({"a\tb": "1\n"}, {"a\tb": "2\n", "\tx\t": "1\n"}),
    "backslashes": both({"a\\b": "1\n", "\\": "1\n"}, {"a\\b": "2\n", "\\n": "1\n"}),
    "dashes": both({"-a": "1\n", "--": "x\n"}, {"-a": "2\n", "-": "1\n", "--help/-x": "1\n"}),
    "patterns": both({"*": LATIN, "[a]": LATIN, "a": LATIN}, {"*": b"\xff", "[a]": LATIN, "a": ""}),
    "magic": both({":(top)": LATIN, ":!a": "1\n"}, {":(top)": b"\xff", ":!a": "2\n", "?": ""}),
    "two normal forms": both({"\u00e9": "1\n", "e\u0301": "1\n"}, {"\u00e9": "2\n", "e\u0301": ""}),
    "case alone": both({"Read": "1\n"}, {"READ": "1\n"}),
    "two cases": both({"Read": "1\n", "read": "2\n"}, {"Read": "2\n", "read": "3\n"}),
    "not UTF-8": Case(
        {"bad\udcff": "1\n", "gone\udcff": "1\n"}, {"bad\udcff": LATIN, "new\udcff": "2\n"}
    ),
}
SEVEN = "1\r\n2\n3\n4\n5\n6\n"
ATTRIBUTES = {
    "text=auto": with_attributes(
        "* text=auto\n", {"a": f"{SEVEN}7\n", "b": "1\r\n"}, {"a": f"{SEVEN}8\n", "b": "2\r\n"}
    ),
    "eol=crlf": with_attributes(
        "* text eol=crlf\n", {"a": "1\n2\n", "b": "1\r\n2\n"}, {"a": "1\n3\n", "b": "1\r\n3\n"}
    ),
    "eol=lf": with_attributes(
        "* text eol=lf\n", {"a": "1\n2\n", "b": "1\r\n2\n"}, {"a": "1\n3\n", "b": "1\r\n3\n"}
    ),
    "ident": with_attributes(
        "* ident\n", {"a": "$Id$\n1\n"}, {"a": "$Id$\n2\n", "b": "$Id: 1 $\n"}
    ),
    "working-tree-encoding": with_attributes(
        "* working-tree-encoding=UTF-16\n", {"a": "ä\n"}, {"a": "ö\n", "b": "ä".encode("utf-16")}
    ),
    "filter": with_attributes(
        "* filter=lfs diff=lfs merge=lfs -text\n", {"a": "version 1\n"}, {"a": "version 2\n"}
    ),
    "diff": with_attributes(
        "*.py diff=python\na binary\nb -diff\n* whitespace=error\n",
        {"a": "1\n", "b": "1\n", "c.py": "1 \n"},
        {"a": "2\n", "b": "2\n", "c.py": "2 \t\n\n\n"},
    ),
    "export-ignore": with_attributes(
        "* export-ignore export-subst\n", {"a": "$Format:%H$\n"}, {"a": "$Format:%H$\n2\n"}
    ),
    "that come": both({"a": "1\n2\n"}, {".gitattributes": "* text eol=crlf\n", "a": "1\n3\n"}),
    "that go": both({".gitattributes": "* text eol=crlf\n", "a": "1\n2\n"}, {"a": "1\n3\n"}),
}
REFUSED = {
    "a link that is not UTF-8": Case({"a": "x"}, {"a": link("bad\udcff")}, "link_not_utf8"),
    "a test's link that is not UTF-8": Case({}, {"tests/a": link("b\udcff")}, "link_not_utf8"),
    "a test's name that is not UTF-8": Case({}, {"tests/bad\udcff": ""}, "path_not_utf8"),
    "and holds high ones": Case({}, {"tests/\udcff\uffee😀": ""}, "path_not_utf8"),
    "and goes": Case({"tests/\udcff\uffee": "", "a": "1\n"}, {"a": "2\n"}, "path_not_utf8"),
    "20 MB of noise": Case({}, {"a": noise(MB_20)}, "patch_too_large"),
    "20 MB of text": Case({}, {"a": HALF * 2}, "patch_too_large"),
    "20 MB of tests": Case({}, {"tests/a": bytes(MB_20)}, "tests_too_large"),
    "5,001 files": Case({}, {f"{n}": "" for n in range(5001)}, "too_many_files"),
    "tests in place of a file": Case(
        {"tests": "x\n"}, {"tests/a": "x\n"}, "test_patch_does_not_apply"
    ),
    "a link in place of tests": Case(
        {"a/tests/b": "x\n"}, {"a": link("c")}, "gold_patch_does_not_apply"
    ),
}
HELD = {
    f"{group}: {name}": case
    for group, cases in {
        "kind": KINDS,
        "line ends": LINE_ENDS,
        "names": NAMES,
        "attributes": ATTRIBUTES,
    }.items()
    for name, case in cases.items()
}
