"""Go: modules, vendored or not, and `go test`."""

import posixpath
import re
from collections.abc import Iterable, Sequence

from forge.effect import Failure
from forge.languages import Language, Runner
from forge.recipes import Recipe
from forge.recipes.drafts import Draft, Side, Wanted
from forge.recipes.project import Project

SOURCE = r"\.go$"
TESTS = (
    r"_test\.go$|(^|/)testdata/|(^|/)__snapshots__/"
    r"|^(tests?|e2e)/"  # deeper down, `test` is often what a program calls a command
    r"|(^|/)(internal/)?test(ing)?[-_]?(util|help|support|fixture|suite|case|env)[a-z]*/"
    r"|(^|/)internal/test(s|ing)?/"
)
MODULES = r"(^|/)go\.(mod|sum|work|work\.sum)$"
MANIFESTS = rf"{MODULES}|(^|/)vendor/modules\.txt$"
NOTHING = r"[^\s\S]"
# What replaces packages that tests import; a patch cannot bring others, since nothing is fetched
# while tests run.
RUNNER = Runner(name="go", files=rf"{MODULES}|(^|/)vendor/", settings=NOTHING, modules=NOTHING)

IMAGE = "golang:1-bookworm"
"""Any Go 1 builds what an older one did: go.mod says by which rules."""
CACHES = {"GOCACHE": "/opt/go/build", "GOMODCACHE": "/opt/go/modules"}
ALWAYS = {**CACHES, "GOENV": "off", "GOTOOLCHAIN": "local"}
NAMED = re.compile(r"(?m)^(go|toolchain)[ \t]+(?:go)?(1\.\d+\S*)")
SAFE = re.compile(r"[\w.@+~/-]+")
NO_MODULES = re.compile(r"(^|/)(testdata|vendor|_[^/]*)(/|$)")
LOCAL = re.compile(r'=>\s*"?(\.\.?(?:/[^\s/"]+)*)/?"?\s*(?://.*)?$', re.MULTILINE)
USED = re.compile(r'(?:^\s*use|^)\s+\(?\s*"?(\.[^\s"]*)"?\s*(?://.*)?$', re.MULTILINE)

# A folder's module is the innermost above it; packages of one are compiled together.
IN_MODULES = """\
in_modules() {  # in_modules COMMAND FOLDER...: with the packages of each module, in its folder
  local command=$1 folder module status=0; shift
  declare -A packages=()
  for folder; do
    module=${folder%/...}
    until [ "$module" = . ] || [ -f "/testbed/$module/go.mod" ]; do
      module=$(dirname "$module")
    done
    folder=/testbed/${folder#./}
    packages[$module]+=" ${folder%/.}"
  done
  for module in "${!packages[@]}"; do
    (cd "/testbed/$module" && set -f && "$command" ${packages[$module]}) || status=$?
  done
  return "$status"
}
"""
DEPENDENCIES = """\
export {variables}
mkdir -p "$GOCACHE" "$GOMODCACHE" /tmp/modules
cd /tmp/modules
awk '/^-- .+ --$/ {{ file = $2; sub("[^/]*$", "", $2); system("mkdir -p ./" $2); next }}
{{ print >file }}' "$FORGE_LOCK"
find . -name go.mod -printf '%h\\n' | sort | while read -r module; do
  {download}(cd "$module" && go list -m >/dev/null)
done
(cd / && GOFLAGS=-buildvcs=false go build {warm})
"""
# Times that lie ahead, so that Go neither writes them again nor throws old entries away.
SETTLE = """\
find "$GOCACHE" ! -user 1000 -exec chown -h 1000:1000 {} +
find "$GOCACHE" -type f ! -newermt 2099-01-01 -exec touch -d 2100-01-01 {} +
"""
INSTALL = """\
unset GOPROXY
compile() {{ go list -e -export -deps -test -f '' "$@" >/dev/null; }}
{in_modules}
in_modules compile {packages}
"""
PROBE = """\
{in_modules}
listing() {{
  {{ go list -e -find -f '{{{{.ImportPath}}}} {{{{.Dir}}}}' "$@"
    go test -vet=off -list '^(Test|Example|Fuzz)' "$@"; }} | awk '
{{ print > "/dev/stderr" }}
$2 ~ "^/testbed" && NF == 2 {{ folder[$1] = $2 == "/testbed" ? "." : substr($2, 10); next }}
NF == 1 && /^(Test|Example|Fuzz)/ {{ names[++n] = $1; next }}
$1 == "ok" {{ for (i = 1; i <= n; i++) print folder[$2] "::" names[i] }}
{{ n = 0 }}'
}}
present=()
for folder in {packages}; do [ ! -d "/testbed/${{folder%/...}}" ] || present+=("$folder"); done
in_modules listing "${{present[@]:-./...}}" | grep .
"""
TEST = """\
trap : INT
{in_modules}
testing() {{
  go list -e -find -f '{{"ImportPath": "{{{{.ImportPath}}}}", "Dir": "{{{{.Dir}}}}"}}' "$@"
  go test -json -count=1 -vet=off -timeout=0 "$@"
}}
[ $# -gt 0 ] || set -- {packages}
(in_modules testing "$@") >"$FORGE_RESULT"
status=$?
sed -n 's/\\(\\\\n\\)\\?"}}$//; s/^.*,"Output":"//p' "$FORGE_RESULT"
exit "$status"
"""


def targets(test_paths: Sequence[str]) -> list[str]:
    """The packages of touched tests; for helpers, all below the folder that holds theirs.

    >>> targets(["a_test.go", "pkg/b/testdata/x/y.json", "pkg/test/helper.go"])
    ['.', 'pkg/...']
    """
    chosen = {_package(path) for path in test_paths}
    whole = {folder.removesuffix("/...") for folder in chosen if folder.endswith("/...")}
    return sorted(
        folder
        for folder in chosen
        if folder.endswith("/...") or not any(_is_below(folder, above) for above in whole)
    )


def _package(path: str) -> str:
    folder = posixpath.dirname(path)
    parts = folder.split("/")
    outer = [n for n, part in enumerate(parts) if part in {"testdata", "__snapshots__"}]
    if outer:
        return "/".join(parts[: outer[0]]) or "."
    if path.endswith("_test.go"):
        return folder or "."
    return f"{posixpath.dirname(folder) or '.'}/..."


def _is_below(folder: str, above: str) -> bool:
    return above in {".", folder} or folder.startswith(f"{above}/")


def draft_go(project: Project, wanted: Wanted) -> list[Draft] | Failure:
    """One draft by the modules of the touched tests as the merge has them, one as the base has."""
    folders = targets(wanted.test_paths)
    sources: dict[Side, Project] = {"merge": project}
    sources |= {"base": wanted.base} if wanted.base else {}
    drafts = [
        _draft(source, modules, folders, wanted, side)
        for side, source in sources.items()
        if (modules := _modules(source, folders))
    ]
    if not drafts:
        return Failure("data", "no_go_module", f"no go.mod above {', '.join(folders) or 'tests'}")
    return drafts


def _draft(
    project: Project, modules: list[str], folders: list[str], wanted: Wanted, side: Side
) -> Draft:
    is_vendored = any(f"{folder}vendor/modules.txt" in project.files for folder in modules)
    lock = _lock(project, modules)
    packages = " ".join(folder for folder in folders if SAFE.fullmatch(folder)) or "./..."
    told = {"in_modules": IN_MODULES, "packages": packages}
    recipe = Recipe(
        language="go",
        repo=wanted.repo,
        base_commit=wanted.base_commit,
        image=wanted.image or _image(project, modules, wanted.images),
        environment={**ALWAYS, "GOFLAGS": _flags(is_vendored), "GOPROXY": "off"},
        lock=lock,
        dependencies=_dependencies(lock, is_vendored) + SETTLE,
        install=INSTALL.format(**told) + SETTLE,
        probe=PROBE.format(**told),
        test=TEST.format(**told),
        runner=RUNNER.name,
        results="go_test",
    )
    reader = f"go.mod: {', '.join(_versions(project, modules)) or 'no version'}"
    suffix = " at the base" if side == "base" else ", vendored" if is_vendored else ""
    return Draft(reader=f"{reader}{suffix}", recipe=recipe, lock_source=side)


def _flags(is_vendored: bool) -> str:  # noqa: FBT001 - there is nothing else to tell
    return f"-mod={'vendor' if is_vendored else 'readonly'} -buildvcs=false"


def _dependencies(lock: str, is_vendored: bool) -> str:  # noqa: FBT001 - as above
    # Who fetches nothing imports little of the standard library, too; that package is what every
    # test binary stands on.
    fetches = not is_vendored and re.search(r"(?m)^(require|\t\S+ v\d)", lock)
    return DEPENDENCIES.format(
        variables=" ".join(f"{name}={value}" for name, value in ALWAYS.items()),
        download="" if is_vendored else '(cd "$module" && go mod download)\n  ',
        warm="std" if fetches else "testing/internal/testdeps",
    )


def _modules(project: Project, folders: Iterable[str]) -> list[str]:
    """Folders (ending in a slash, or empty) of modules that own these, or that those need here."""
    held = {posixpath.dirname(p) for p in project.files if p.endswith("go.mod")}
    known = {f"{folder}/" if folder else "" for folder in held if not NO_MODULES.search(folder)}
    waiting = {owner for folder in folders if (owner := _owner(folder, known)) is not None}
    found: set[str] = set()
    while waiting:
        module = waiting.pop()
        found.add(module)
        told = LOCAL.findall(project.files[f"{module}go.mod"])
        for above in _above(module):
            work = project.files.get(f"{above}go.work", "")
            waiting |= {_within(above, used) for used in USED.findall(work)} & known - found
        waiting |= {_within(module, path) for path in told} & known - found
    return sorted(found)


def _owner(folder: str, known: set[str]) -> str | None:
    return next((module for module in _above(f"{folder}/") if module in known), None)


def _above(folder: str) -> list[str]:
    """A folder and those above it, innermost first, each ending in a slash but the root."""
    parts = [part for part in folder.split("/") if part not in {"", ".", "..."}]
    return ["".join(f"{part}/" for part in parts[:n]) for n in range(len(parts), -1, -1)]


def _within(folder: str, path: str) -> str:
    inner = posixpath.normpath(posixpath.join(folder, path))
    return "" if inner == "." else f"{inner}/"


def _lock(project: Project, modules: Iterable[str]) -> str:
    """The modules' own files in one text, as Go's `txtar` writes them."""
    names = ("go.mod", "go.sum")
    paths = {f"{module}{name}" for module in modules for name in names}
    paths |= {
        f"{above}{name}"
        for module in modules
        for above in _above(module)
        for name in ("go.work", "go.work.sum")
    }
    held = sorted(path for path in paths & set(project.files) if SAFE.fullmatch(path))
    return "".join(f"-- {path} --\n{project.files[path].rstrip()}\n" for path in held)


def _versions(project: Project, modules: Iterable[str]) -> list[str]:
    texts = [project.files[f"{module}go.mod"] for module in modules]
    return sorted({f"{word} {version}" for text in texts for word, version in NAMED.findall(text)})


def _image(project: Project, modules: Iterable[str], allowed: Sequence[str]) -> str:
    """The image of the newest version that go.mod names, where it may be used."""
    named = re.findall(r"1\.(\d+)", " ".join(_versions(project, modules)))
    exact = f"golang:1.{max(map(int, named), default=0)}-bookworm"
    return exact if exact in allowed else IMAGE


GO = Language(
    name="go",
    source=SOURCE,
    tests=TESTS,
    manifests=MANIFESTS,
    runner=RUNNER,
    targets=targets,
    draft=draft_go,
)
