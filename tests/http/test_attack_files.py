"""Files: nobody else can plant, read or change what is the service's, and it follows no link."""

import contextlib
import os
import pwd
import signal
import socket
import stat
import subprocess
import time

import pytest

import harness


def serve(server, *more):
    return subprocess.run([harness.binary(), "serve", "--config", server.config, "--data",
                           server.data, "--port", str(harness.free_port()), *more],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)


@pytest.fixture
def unborn():
    """A server that has not been started, with its data directory made."""
    server = harness.Server()
    os.mkdir(server.data)
    if os.geteuid() == 0:
        user = pwd.getpwnam("playmeter")
        os.chown(server.data, user.pw_uid, user.pw_gid)
    yield server
    server.close()


def test_a_data_directory_that_everybody_writes_is_refused(unborn):
    os.chmod(unborn.data, 0o1777)
    done = serve(unborn)
    assert done.returncode == 1
    assert f"everybody can write to the data directory {unborn.data}" in done.stderr
    assert "chmod o-w" in done.stderr
    assert os.listdir(unborn.data) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
def test_an_empty_folder_that_is_taken_over_is_closed(unborn):
    os.chown(unborn.data, 0, 0)
    os.chmod(unborn.data, 0o777)
    unborn.start()
    assert stat.S_IMODE(os.stat(unborn.data).st_mode) == 0o700


@pytest.mark.parametrize("name", ["run/supervisor.lock", "run/writer.lock", "admin.key"])
def test_links_in_place_of_files_are_not_followed(unborn, name):
    """The file behind the link is neither made nor changed."""
    path = os.path.join(unborn.data, name)
    victim = os.path.join(unborn.base, "victim")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.chmod(os.path.dirname(path), 0o700)
    if os.geteuid() == 0:
        user = pwd.getpwnam("playmeter")
        os.chown(os.path.dirname(path), user.pw_uid, user.pw_gid)
    os.chmod(unborn.base, 0o777)
    os.symlink(victim, path)
    try:
        unborn.start()
    except AssertionError:
        # To refuse to start is as good, when it says so.
        assert "playmeter: " in unborn.log() and not harness.CRASH.search(unborn.log())
    assert not os.path.lexists(victim)


def test_no_file_is_open_to_others(server):
    server.import_csv("closed", b"id\n1\nx\n")
    for folder, folders, files in os.walk(server.data):
        for name in folders + files:
            path = os.path.join(folder, name)
            mode = os.lstat(path).st_mode
            mask = 0o007 if stat.S_ISSOCK(mode) else 0o077
            assert not mode & mask and not stat.S_ISLNK(mode), (path, oct(mode))


def test_bodies_that_a_killed_nginx_left_are_removed(own_server):
    """One that grew a moment ago may belong to an upload that goes on."""
    server = own_server
    folder = os.path.join(server.data, "nginx/body")
    request = (f"POST /v1/datasets/x/imports HTTP/1.1\r\nHost: x\r\nX-API-Key: {server.admin_key}\r\n"
               "Content-Type: text/csv\r\nContent-Length: 2000000\r\n\r\n").encode()
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            upload = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            upload.sendall(request + b"a,b\n" * 200000)
        server.wait_for(lambda: len(os.listdir(folder)) == 2)
        for pid in server.pids("nginx")[1:]:
            os.kill(pid, signal.SIGKILL)
    server.wait_for(lambda: len(server.pids("nginx")) > 1)
    old, young = sorted(os.listdir(folder))
    an_hour_ago = time.time() - 3700
    os.utime(os.path.join(folder, old), (an_hour_ago, an_hour_ago))
    server.import_csv("x", b"a\n1\n", header="true")  # the end of a job is when things are swept
    server.wait_for(lambda: os.listdir(folder) == [young])
