"""Commands whose imports are done: one process imports the modules, and each command runs in a fork of it.

Importing torch, transformers and diffusers takes longer than most commands of a test. A command still has
arguments, an environment, a folder, standard streams and a process of its own. Run as a script, this file is
the client, which imports little.
"""

import gc
import importlib
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).parents[2]
MOST_BYTES = 1 << 20  # of the arguments and the environment


@contextmanager
def preloaded(
    folder: Path, name: str, entry: str, *modules: str, environment: Mapping[str, str] | None = None
) -> Iterator[Path]:
    """An executable `folder`/`name` that runs `entry` ("module:function"), while the block lasts.

    `modules` are imported once, and with `environment` (default: this process's), which libraries read then.
    """
    folder.mkdir(exist_ok=True)
    command, rendezvous = folder / name, tempfile.TemporaryDirectory()  # the path of a socket must be short
    address = Path(rendezvous.name) / name
    serving = [sys.executable, "-m", "tests.support.preloaded", "--serve", str(address), entry, *modules]
    server = subprocess.Popen(
        serving, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        client = shlex.join([sys.executable, "-IS", __file__, str(address)])
        command.write_text(f'#!/bin/sh\nexec {client} "$@"\n')
        command.chmod(0o755)
        yield command
    finally:
        server.kill()
        server.wait()
        if server.stdout is not None:
            server.stdout.close()
        rendezvous.cleanup()


@contextmanager
def mgie_command(folder: Path) -> Iterator[Path]:
    """`mgie` as an executable in `folder`, with everything imported that an edit needs."""
    with preloaded(folder, "mgie", "mgie_engine.cli:main", "mgie_engine.serving.precision_levels") as command:
        yield command


def ask(address: str, arguments: list[str]) -> int:
    """Have the command run with this process's environment, folder and standard streams; its exit code."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        server.connect(address)
        told = json.dumps({"arguments": arguments, "environment": dict(os.environ), "folder": os.getcwd()})
        socket.send_fds(server, [told.encode()], [0, 1, 2])
        answer = server.recv(16)
    return int(answer) if answer else 1


def serve(address: str, entry: str, modules: list[str]) -> None:
    """Import, then run a command for each connection; ends only when this process is killed."""
    module, function = entry.split(":")
    for name in modules:
        importlib.import_module(name)
    main = getattr(importlib.import_module(module), function)
    gc.freeze()  # what is imported is neither copied nor looked through when a command ends
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(address)
        listener.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # leaves no zombies
        while True:
            client, _ = listener.accept()
            if os.fork() == 0:
                break
            client.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    told, streams, _, _ = socket.recv_fds(client, MOST_BYTES, 3)
    if command := os.fork():
        _, status = os.waitpid(command, 0)
        client.send(str(os.waitstatus_to_exitcode(status) & 0xFF).encode())
        os._exit(0)
    client.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    given = json.loads(told)
    os.environ.clear()
    os.environ.update(given["environment"])
    os.chdir(given["folder"])
    sys.argv = [module, *given["arguments"]]
    sys.exit(main())


def run() -> NoReturn:
    """As a script: the client, or with `--serve` the process that has everything imported."""
    if sys.argv[1] == "--serve":
        serve(sys.argv[2], sys.argv[3], sys.argv[4:])
    sys.exit(ask(sys.argv[1], sys.argv[2:]))


if __name__ == "__main__":
    run()
