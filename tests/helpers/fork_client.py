"""
Asks `tests/helpers/fork_server.py` for a process with the files of this one, and ends as that
process does. The first argument is the path of the server's socket; the others are those of Python.
"""

import contextlib
import json
import os
import resource
import socket
import sys

path, *arguments = sys.argv[1:]

# `multiprocessing` passes the options of its interpreter, such as -B or -X dev. The server, which
# runs already, has its own.
while arguments[0].startswith("-") and arguments[0] not in ("-m", "-c"):
    del arguments[: 2 if arguments[0] == "-X" else 1]

with os.scandir("/proc/self/fd") as entries:
    listed = [int(entry.name) for entry in entries]
files = []
for number in listed:
    with contextlib.suppress(OSError):  # the listing itself was a file, and is closed
        os.fstat(number)
        files.append(number)

with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(path)
    request = {
        "arguments": arguments,
        "directory": os.getcwd(),
        "environment": dict(os.environ),
        "executable": os.path.join(os.path.dirname(path), "python"),
        "files": files,
        "max_files": resource.getrlimit(resource.RLIMIT_NOFILE),
    }
    data = json.dumps(request).encode() + b"\n"
    sent = socket.send_fds(connection, [data], files)
    connection.sendall(data[sent:])
    answer = connection.makefile().readline()

if not answer:
    sys.exit("The fork server ended before the process did.")
if os.WIFSIGNALED(int(answer)):
    os.kill(os.getpid(), os.WTERMSIG(int(answer)))
sys.exit(os.WEXITSTATUS(int(answer)))
