"""A real PostgreSQL server of the system's packages, for the tests that need one."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest


def binary(name):
    """Where the server's program is: on the path, or where Debian puts it."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return str(places[0]) if places else shutil.which(name)


class Server:
    """A server in a folder of its own, on a free port of this machine."""

    def __init__(self, folder):
        self.folder = folder
        self.user = {}
        if os.geteuid() == 0:  # the server refuses to run as root
            shutil.chown(folder, "postgres")
            self.user = {"user": "postgres"}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self.call("initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "-N")

    def call(self, name, *arguments):
        subprocess.run([binary(name), *arguments], check=True, stdout=subprocess.DEVNULL, cwd="/", **self.user)

    def start(self):
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        data = self.folder / "data"
        self.call("pg_ctl", "-D", data, "-w", "-o", options, "-l", self.folder / "log", "start")

    def stop(self):
        self.call("pg_ctl", "-D", self.folder / "data", "-w", "-m", "immediate", "stop")


def made_server(folder):
    """A server that runs, or why there is none."""
    pytest.importorskip("psycopg", reason="psycopg is not installed (extra postgres)")
    if binary("initdb") is None:
        pytest.skip("there is no PostgreSQL server on this machine (apt-get install postgresql)")
    server = Server(folder)
    server.start()
    return server
