"""Programs that never end by themselves, or take all that they can get; by what they do."""

PYTHON = "/forge/bin/python3 -c"

FILLS = {
    "one file": 'head -c 1G /dev/zero >"${FORGE_RESULT:-/testbed/x}"; sleep 600',
    "many files": "for i in $(seq 99); do head -c 9M /dev/zero >/tmp/$i; done; sleep 600",
    "sparse files": "for i in $(seq 9); do truncate -s 50M /testbed/$i; done; sleep 600",
    "a million empty files": f"""{PYTHON} '
for number in range(1000000):
    open(f"/tmp/{{number}}", "w").close()
'""",
}
FORKS = {
    "a fork bomb": "bomb() { bomb | bomb & }; bomb; sleep 600",
    "a thread bomb": f"""{PYTHON} '
import threading, time
while True:
    threading.Thread(target=time.sleep, args=(600,)).start()
'""",
}
EATS = {
    "its own memory, again and again": f"while true; do {PYTHON} 'bytearray(10**9)'; done",
    "a file in memory": f"""{PYTHON} '
import os
file = os.memfd_create("x")
while True:
    os.write(file, bytes(10**6))
'""",
}
STAYS = {
    "spins, deaf and mute": """
trap '' TERM INT HUP
exec >&- 2>&-
(while true; do :; done) &
while true; do kill -TERM 0; sleep 1; done
""",
    "waits for a daemon that holds its output": "cat <(setsid sleep 600)",
}
ENDS = {
    "takes what is small": """
cat /dev/zero >/dev/shm/x
truncate -s 1T /testbed/x
head -c 90M /dev/zero >/testbed/y; cat /testbed/y /testbed/y >/dev/null
""",
    "prints a gigabyte": """
yes | head -c 400M
yes | head -c 400M >&2
head -c 200M /dev/zero
""",
    "leaves daemons that hold its output": f"""
setsid nohup sleep 600 & disown
{PYTHON} '
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
'""",
    "kills all that it may": "kill -KILL 1; kill -TERM 1; kill -KILL -1",
}
OVERWRITES_ITS_BUILDER = f"""{PYTHON} '
with open("/forge/build/build.sh", "r+") as script:
    lines = chr(10) * len(script.read())
    script.seek(0)
    script.write(lines + "exit 0")
'"""
