"""What runs inside containers that become images: one script for each tier."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from forge.eval_script import KEPT
from forge.recipes import Recipe
from forge.services.docker_limits import REFUSED

UV = "0.13.8"
VENV = "/opt/venv"
ENTER = f'export PATH="{VENV}/bin:$PATH"\n'
VARIABLES = {"FORGE_LOCK": "/forge/lock", "VIRTUAL_ENV": VENV}
CA_VARIABLES = (
    "SSL_CERT_FILE",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
    "CARGO_HTTP_CAINFO",
)

# Everything that only the build needs lies in this folder, and is gone before the image is made.
FOLDER = "/forge/build"
LOG = f"{FOLDER}.log"
STEP = f"{FOLDER}.step"
# Files lie there byte for byte as git holds them: what converts them breaks patches of mixed ends.
ATTRIBUTES = "* -text -ident !eol !filter !working-tree-encoding"
NETWORK, CA_BUNDLE = f"{FOLDER}/network.sh", f"{FOLDER}/ca.pem"

# By the shell alone: where processes are refused, no other program starts.
TELL_LIMITS = rf"""
tell_limits() {{
  [ $? != 0 ] || return 0
  for file in /sys/fs/cgroup/pids/pids.events /sys/fs/cgroup/pids.events; do
    if [ -r "$file" ] && read -r _ refused <"$file" && [ "$refused" -gt 0 ]; then
      echo "{REFUSED}$refused"
    fi
  done
}}
trap tell_limits EXIT
"""

BEGIN = rf"""
exec >{LOG} 2>&1 </dev/null
{TELL_LIMITS}
set -euo pipefail
. {NETWORK}
step() {{ echo "$1" >{STEP}; echo "=== $1"; }}
install_packages() {{
  [ $# = 0 ] && return
  export DEBIAN_FRONTEND=noninteractive
  apt-get -o Acquire::Retries=3 update -qq
  apt-get -o Acquire::Retries=3 install -y -qq --no-install-recommends "$@"
  rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb /var/cache/apt/*.bin
}}
"""

END = rf"""
step clean
rm -rf {FOLDER} {STEP} /root/.cache /home/forge/.cache /tmp/* /var/tmp/*
"""

TOOLCHAIN = (
    BEGIN
    + rf"""
step packages
missing=()
for tool in git:git patch:patch setpriv:util-linux python3:python3; do
  command -v "${{tool%%:*}}" >/dev/null || missing+=("${{tool##*:}}")
done
install_packages "${{missing[@]}}"

step user
if other=$(getent passwd 1000 | cut -d: -f1) && [ -n "$other" ]; then
  usermod --login forge --home /home/forge --move-home "$other"
  groupmod --new-name forge "$(getent group 1000 | cut -d: -f1)"
else
  groupadd --gid 1000 forge
  useradd --uid 1000 --gid 1000 --create-home --shell /bin/bash forge
fi

step tools
mkdir -p /forge/bin /testbed
ln -s "$(readlink -f "$(command -v python3)")" /forge/bin/python3
git config --system --add safe.directory /testbed
# The wheel holds a static program: any Python may fetch it, but old pips heed no --python-version.
if python3 -m pip --version; then
  mkdir /tmp/uv
  export PYTHONPATH=/tmp/pip
  python3 -m pip install -q --target $PYTHONPATH pip
  python3 -m pip download -q --no-deps --only-binary :all: --python-version 3.12 -d /tmp/uv uv=={UV}
  python3 -m zipfile -e /tmp/uv/*.whl /tmp/uv/wheel
  install -m 755 /tmp/uv/wheel/uv-*.data/scripts/uv /usr/local/bin/uv
fi
"""
    + END
)

SYSTEM_PACKAGES = (
    BEGIN
    + rf"""
step system_packages
install_packages $(cat {FOLDER}/packages)
"""
    + END
)

DEPENDENCIES = (
    BEGIN
    + rf"""
step dependencies
cp {FOLDER}/lock /forge/lock
cd /home/forge
(. {FOLDER}/environment.sh; bash -euo pipefail {FOLDER}/dependencies.sh)

step ownership
mkdir -p {VENV}
chown -R 1000:1000 {VENV}
"""
    + END
)

TASK = (
    BEGIN
    + rf"""
step checkout
cd /testbed
mkdir -p .git/info
echo '{ATTRIBUTES}' >.git/info/attributes
git read-tree HEAD
git rev-list --objects --missing=print HEAD | sed -n 's/^?//p' >{FOLDER}/missing
if [ -s {FOLDER}/missing ]; then  # files that the server has not got
  git ls-files -s -z | grep -zFf {FOLDER}/missing | cut -zf2- |
    git update-index -z --skip-worktree --stdin
fi
git read-tree --reset -u HEAD

step install
# Python's own library compiled once more would be each task's.
export PYTHONDONTWRITEBYTECODE=1
(. {FOLDER}/environment.sh; bash -euo pipefail {FOLDER}/install.sh)

step ownership
find /testbed -xdev -name __pycache__ -prune -exec rm -rf {{}} +
chown -R 1000:1000 /testbed
# Not all of it: what changes its owner is copied, and the dependencies are there already.
find {VENV} -xdev ! -uid 1000 -exec chown -h 1000:1000 {{}} +

step keep
LC_ALL=C.UTF-8 /forge/bin/python3 -I -S -B {FOLDER}/base.py keep {KEPT} "$(cat {FOLDER}/rules)"
"""
    + END
)


def network_files(proxies: Mapping[str, str], bundle: Path | None) -> dict[str, bytes]:
    """Files that let programs reach the network as this machine does: proxies and certificates."""
    if bundle is None:
        return {NETWORK: exports(proxies).encode()}
    wanted = {**proxies, **dict.fromkeys(CA_VARIABLES, CA_BUNDLE)}
    return {NETWORK: exports(wanted).encode(), CA_BUNDLE: bundle.read_bytes()}


def tier_script(recipe: Recipe) -> str:
    """Shell that sets what the dependencies are to find: nothing of the project."""
    return ENTER + exports({**VARIABLES, "FORGE_LOCK_AS_OF": recipe.lock_as_of})


def environment_script(recipe: Recipe) -> str:
    """Shell that sets what install, rebuild, probe and test are to find."""
    return ENTER + exports(variables(recipe))


def variables(recipe: Recipe) -> dict[str, str]:
    """Environment variables of the task's image, `PATH` aside."""
    return {**VARIABLES, **recipe.environment}


def exports(variables: Mapping[str, str]) -> str:
    r"""Shell that exports variables.

    >>> exports({"A": "b c"})
    "export A='b c'\n"
    """
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
