"""The one script that tests a patched repository.

Attempts, `grade` and every export run it byte for byte.
"""

import hashlib
import importlib
import json
import re
import shlex
from collections.abc import Sequence
from types import ModuleType

import forge.inside
import forge.results
from forge.fingerprint import source_of
from forge.inside.report import MOST_BYTES
from forge.languages import languages
from forge.recipes import Recipe

START = ">>>>> Start Test Output"
END = ">>>>> End Test Output"
LOG_PARSER = "parse_log_gotest"
"""SWE-bench's name of the parser that reads what the script prints."""
OUT = "/forge/out"
KEPT = "/forge/kept.tar.gz"
"""In a task's image: the base's tests and runner's files, as the install left them."""
LOG_BYTES = 20_000_000
COLUMNS = 100

# What the script must withstand: it is started as root by harnesses that put `set -uxo pipefail`
# before it, whose log parsers strip lines and read the whole log where they find nothing between
# the markers; and what it runs may print anything, leave processes, links and pipes behind, and
# has changed any file of the repository.
TEMPLATE = r"""#!/bin/bash
# Start it as root in the task's image, after the patch was applied to /testbed. It puts the merge's
# tests and the files of their runner in place, runs the hidden ones as the user forge, and prints
# one line per test between two markers. It runs no git and trusts no file of the repository.
{ set +x; } 2>/dev/null
exec </dev/null 2>&1
umask 022
image_path=$PATH
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
out=@OUT@
limit=@SECONDS@
[ "$(id -u)" = 0 ] || { echo 'eval.sh must be started as root'; exit 1; }

as_forge() {  # as_forge SECONDS COMMAND...: interrupted when the time is up, then killed
  local seconds=$1; shift
  (cd /testbed && exec timeout --signal=INT --kill-after=30 "$seconds" \
    setpriv --reuid=1000 --regid=1000 --clear-groups --inh-caps=-all --no-new-privs \
    env --default-signal=INT -u BASH_ENV -u ENV PATH="$image_path" HOME=/home/forge \
    USER=forge LOGNAME=forge LANG=C.UTF-8 TERM=dumb PIP_NO_INDEX=1 UV_OFFLINE=1 \
    FORGE_RESULT="$out/result/result" FORGE_RUNNER="$out/bin/runner/record.py" \
    @ENVIRONMENT@ "$@")
}
keep() {  # as much as anybody reads; what writes more is not held up
  head -c @LOG_BYTES@ >>"$1"
  local more=$(wc -c)
  [ "$more" = 0 ] || printf '\n[output_limit: %s more bytes]\n' "$more" >>"$1"
}
milliseconds() { date +%s%3N; }
python() { LC_ALL=C.UTF-8 /forge/bin/python3 -I -S -B "$@"; }
end_processes() {  # all at once, and as somebody whom none of them may kill first
  python -c 'import os; os.setresuid(65533, 1000, 65533); os.kill(-1, 9)' 2>/dev/null
}

end_processes
rm -rf "$out"
mkdir -p "$out/bin/runner" "$out/bin/forge/results" "$out/result"
chown 1000:1000 "$out/result"
chmod 700 "$out/result"
find /testbed -xdev '(' ! -uid 1000 -o ! -gid 1000 ')' -exec chown -h 1000:1000 {} +
find /testbed -xdev -type d '(' -name __pycache__ -o -name .pytest_cache ')' -prune \
  -exec rm -rf {} +

@FILES@
[ -s @KEPT@ ] || { echo 'this image keeps no copy of its tests: build it again'; exit 1; }
base64 -d "$out/bin/tests.base64" >"$out/bin/tests.tar.gz"
as_forge 300 /forge/bin/python3 -I -S -B "$out/bin/base.py" put @KEPT@ \
  @RULES@ \
  "$out/bin/tests.tar.gz" \
  @REMOVED@ || { echo 'the hidden tests could not be restored'; exit 1; }

step=rebuild
began=$(milliseconds)
as_forge "$limit" /bin/bash -eo pipefail "$out/bin/rebuild.sh" > >(keep "$out/log") 2>&1
ended=$?
end_processes
wait $!
if [ "$ended" = 0 ]; then
  step=test
  began=$(milliseconds)
  as_forge "$limit" /bin/bash "$out/bin/test.sh" @TARGETS@ > >(keep "$out/log") 2>&1
  ended=$?
fi
took=$(($(milliseconds) - began))
end_processes
wait
is_timed_out=false
case $ended in 124 | 137) [ "$took" -lt $((limit * 1000)) ] || is_timed_out=true ;; esac
if [ "$is_timed_out" = true ]; then
  as_forge 300 /bin/bash "$out/bin/probe.sh" 2>/dev/null > >(keep "$out/collected")
  end_processes
  wait $!
fi
find "$out/result" -mindepth 1 '(' ! -path "$out/result/result" -o -size +@RESULT_KILOBYTES@k ')' \
  -delete

groups=/sys/fs/cgroup
memory=$(cat $groups/memory/memory.max_usage_in_bytes $groups/memory.peak 2>/dev/null | head -n 1)
killed=$(cat $groups/memory/memory.oom_control $groups/memory.events 2>/dev/null |
  sed -n 's/^oom_kill //p')
processes=$(cat $groups/pids/pids.peak $groups/pids.peak 2>/dev/null | head -n 1)
refused=$(cat $groups/pids/pids.events $groups/pids.events 2>/dev/null | sed -n 's/^max //p')
free=$(df --output=avail -B1 "$out" | tail -n 1)
{
  printf '{"step": "%s", "exit_code": %d, "is_timed_out": %s, ' "$step" "$ended" "$is_timed_out"
  printf '"milliseconds": %d, "memory_bytes": %s, ' "$took" "${memory:-null}"
  printf '"processes": %s, ' "${processes:-null}"
  printf '"killed": %d, "refused": %d, ' "${killed:-0}" "${refused:-0}"
  printf '"free_bytes": %d}\n' "$free"
} >"$out/status.json"
echo "$step ended with $ended after $took ms; the last lines of its output:"
tail -c 10000 "$out/log" | tr '\r\v\f' '\n\n\n' | tr -d '\000-\010\016-\037\177' |
  sed 's/>>>>>/> > >/g; s/^/| /'
echo
report() {
  cd /testbed && python "$out/bin/report.py" "$out" "$is_timed_out" @TARGETS@
  whole=$?
  return "$whole"
}

echo '@START@'
report
echo '@END@'
exit "$whole"
"""


def render(
    recipe: Recipe,
    *,
    test_archive: str,
    removed_test_paths: Sequence[str],
    targets: Sequence[str],
    seconds: int,
) -> str:
    """The text of eval.sh: the recipe's steps, the hidden tests, the readers of results."""
    values = {
        "OUT": OUT,
        "KEPT": KEPT,
        "SECONDS": str(seconds),
        "LOG_BYTES": str(LOG_BYTES),
        "RESULT_KILOBYTES": str(MOST_BYTES // 1024),
        "START": START,
        "END": END,
        "ENVIRONMENT": shlex.join(f"{name}={value}" for name, value in recipe.environment.items()),
        "REMOVED": shlex.quote(json.dumps(list(removed_test_paths))),
        "RULES": shlex.quote(languages()[recipe.language].rules(recipe.runner)),
        "TARGETS": shlex.join(targets),
        "FILES": "".join(_written(name, text) for name, text in _files(recipe, test_archive)),
    }
    return _filled(TEMPLATE, values)


def _files(recipe: Recipe, test_archive: str) -> list[tuple[str, str]]:
    wrapped = [test_archive[i : i + COLUMNS] for i in range(0, len(test_archive), COLUMNS)]
    return [
        ("rebuild.sh", recipe.rebuild),
        ("test.sh", recipe.test),
        ("probe.sh", recipe.probe),
        ("base.py", source_of("forge.inside.base")),
        ("restore.py", source_of("forge.inside.restore")),
        ("report.py", source_of("forge.inside.report")),
        ("reader.py", source_of(reader(recipe).__name__)),
        ("forge/results/cases.py", source_of("forge.results.cases")),
        *((f"runner/{name}", text) for name, text in programs(recipe).items()),
        ("tests.base64", "\n".join(wrapped)),
    ]


def programs(recipe: Recipe) -> dict[str, str]:
    """Files that the recipe's commands find in the folder of $FORGE_RUNNER."""
    names = languages()[recipe.language].runner_of(recipe.runner).programs
    return {f"{name}.py": source_of(f"{forge.inside.__name__}.{name}") for name in names}


def reader(recipe: Recipe) -> ModuleType:
    """The module that reads the recipe's result file."""
    return importlib.import_module(f"{forge.results.__name__}.{recipe.results}")


def _written(name: str, text: str) -> str:
    word = f"END_OF_{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    return f"cat >\"$out/bin/{name}\" <<'{word}'\n{text}\n{word}\n"


def _filled(template: str, values: dict[str, str]) -> str:
    # In one pass, so that nothing inside a value is taken for a placeholder.
    return re.sub("@([A-Z_]+)@", lambda found: values[found[1]], template)
