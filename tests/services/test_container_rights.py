"""What an engine is told of a container, and what is found inside."""

from typing import Any

from limited import BOUNDS

from forge import leftovers
from forge.services.docker import Bounds
from forge.services.docker_containers import Program, ended


def test_engine_is_told_every_bound_and_gives_no_right(world, runner):
    async def created() -> dict[str, Any]:
        async with ended(world.docker.engine, Program(world.image, ("true",), bounds=BOUNDS)) as (
            container,
            _,
        ):
            return container.attrs

    told = runner.run(created())
    expected = {
        "NetworkMode": "none",
        "IpcMode": "private",
        "PidMode": "",
        "UTSMode": "",
        "UsernsMode": "",
        "Privileged": False,
        "CapAdd": None,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "Binds": None,
        "Devices": None,
        "VolumesFrom": None,
        "PortBindings": None,
        "Memory": 80_000_000,
        "MemorySwap": 80_000_000,
        "OomKillDisable": False,
        "OomScoreAdj": 1000,
        "PidsLimit": 64,
        "NanoCpus": 1_000_000_000,
        "Init": True,
        "LogConfig": {"Type": "none", "Config": {}},
    }
    host = told["HostConfig"]
    assert {name: host[name] or None if expected[name] is None else host[name]
            for name in expected} == expected  # fmt: skip
    limits = {one["Name"]: (one["Soft"], one["Hard"]) for one in host["Ulimits"]}
    assert limits == {"fsize": (10**8, 10**8), "core": (0, 0)}
    assert told["Mounts"] == []


INSIDE = """
id -u; id -g
grep -E '^(CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):' /proc/self/status | tr -d ' \\t'
ls /sys/class/net
grep -c . /proc/net/route
cat /proc/self/oom_score_adj
ls /var/run/docker.sock /run/docker.sock 2>&1 | grep -c 'No such file'
unshare --user true 2>&1 | grep -c 'not permitted'
mount -t tmpfs x /mnt 2>&1 | grep -c -i 'permi\\|superuser'
grep -c 'sysfs.*ro,' /proc/mounts
env | cut -d= -f1 | sort | tr '\\n' ' '
"""


OF_THE_SCRIPT = {
    *("FORGE_RESULT", "HOME", "HOSTNAME", "LANG", "LOGNAME", "OLDPWD", "PWD", "SHLVL", "TERM"),
    *("FORGE_RUNNER", "PIP_NO_INDEX", "PYTHONPATH", "USER", "UV_OFFLINE", "_"),
}


def test_tests_have_no_rights_no_network_and_nothing_of_the_host(world, runner, docker_engine):
    of_the_image = docker_engine.images.get(world.image).attrs["Config"]["Env"]
    text = f'({INSIDE}) >"$FORGE_RESULT" 2>&1'
    ran = runner.run(world.tests(text, BOUNDS))
    lines = ran.result.decode().splitlines()
    nothing = "0" * 16
    assert lines[:2] == ["1000", "1000"]
    assert lines[2:9] == [
        *[f"Cap{kind}:{nothing}" for kind in ("Inh", "Prm", "Eff")],
        "CapBnd:00000000000000eb",  # of eval.sh, which is root: what drops to the user and back
        f"CapAmb:{nothing}",
        "NoNewPrivs:1",
        "Seccomp:2",
    ]
    assert lines[9:16] == ["lo", "1", "1000", "2", "1", "1", "1"]
    names = {variable.partition("=")[0] for variable in of_the_image}
    assert set(lines[16].split()) == names | OF_THE_SCRIPT


def test_shell_of_a_trial_has_bounds_and_no_rights_either(world, docker_engine):
    with leftovers.container(docker_engine, world.image, "true") as made:
        host = docker_engine.containers.get(made.id).attrs["HostConfig"]
    assert (host["Memory"], host["PidsLimit"]) == (Bounds().memory_bytes, Bounds().processes)
    assert (host["NetworkMode"], host["CapDrop"], host["CapAdd"]) == ("none", ["ALL"], None)
