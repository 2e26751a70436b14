"""The processes: what dies comes back, what is stopped finishes, what is reloaded goes on."""

import contextlib
import fcntl
import os
import re
import pwd
import resource
import shutil
import signal
import socket
import subprocess

import pytest
import requests

import harness


def serve(*arguments, timeout=20):
    """A start that is expected to be refused."""
    return subprocess.run([harness.binary(), "serve", *arguments], capture_output=True, text=True,
                          timeout=timeout, stdin=subprocess.DEVNULL)


def pss_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Pss:"))


def is_ready(server):
    try:
        return server.get("/readyz", key=None, timeout=5).status_code == 200
    except requests.RequestException:
        return False


@pytest.mark.parametrize("role", ["query", "play", "writer", "jobs", "nginx"])
def test_a_killed_child_is_restarted(server, role):
    before = server.pids(role)
    assert before
    killed = server.kill(role)
    server.wait_for(lambda: killed not in server.pids(role)
                    and len(server.pids(role)) >= len(before))
    server.wait_for(lambda: is_ready(server))
    assert '"event":"child_died"' in server.log()


def test_nginx_has_descriptors_for_its_connections_in_an_ordinary_login():
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    server = harness.Server()
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, limits[1]))
        server.start()
        with open(f"/proc/{server.pids('nginx')[0]}/limits", encoding="ascii") as f:
            soft = next(int(line.split()[3]) for line in f if line.startswith("Max open files"))
        assert soft >= min(limits[1], 16384)
        assert "exceed open file resource limit" not in server.log()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        server.close()


def test_no_worker_of_a_killed_nginx_stays(server):
    workers = server.pids("nginx")[1:]
    assert workers
    server.kill("nginx")
    server.wait_for(lambda: not set(workers) & set(harness.parents()))
    server.wait_for(lambda: is_ready(server))


@pytest.mark.asan
def test_workers_of_nginx_that_outlive_the_service_do_not_keep_it_from_starting(own_server):
    server = own_server
    master, *workers = server.pids("nginx")
    port = server.port
    # So that neither can end what is left of the other.
    os.kill(server.pid, signal.SIGSTOP)
    for pid in (master, server.pid):
        os.kill(pid, signal.SIGKILL)
    server.process.wait()
    assert set(workers) & set(harness.parents())
    with open(server.log_path, "ab") as log:
        server.process = subprocess.Popen(
            [harness.binary(), "serve", "--config", server.config, "--data", server.data,
             "--port", str(port)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True)
    assert server.wait_ready(), server.log()
    assert server.log().count('"event":"orphan_ended"') == len(workers)
    server.wait_for(lambda: not any(harness.takes_connections(pid) for pid in workers))


def test_a_reload_replaces_every_worker_and_keeps_nginx(own_server):
    server = own_server
    before = {role: set(server.pids(role)) for role in ["query", "play", "writer", "jobs", "nginx"]}
    server.reload()
    for role in ["query", "play", "writer", "jobs"]:
        server.wait_for(lambda r=role: len(server.pids(r)) == len(before[r]))
        assert not before[role] & set(server.pids(role)), role
    assert set(server.pids("nginx")) == before["nginx"]
    server.edit_config(lambda text: text, nginx_changes=True)
    server.reload()
    master, *workers = server.pids("nginx")
    assert master in before["nginx"]
    server.wait_for(lambda: not set(server.pids("nginx")[1:]) & before["nginx"])
    assert is_ready(server)


def test_nothing_of_the_settings_before_a_reload_is_used_after_it(monkeypatch):
    monkeypatch.setenv("MALLOC_PERTURB_", "165")  # glibc overwrites what is freed
    server = harness.Server()
    try:
        server.start()
        for _ in range(2):
            server.edit_config(lambda text: text, nginx_changes=True)
            server.reload()
        server.kill("nginx")
        server.wait_for(lambda: is_ready(server))
    finally:
        server.close()


def test_pools_take_their_size_from_the_reloaded_file(server_with):
    server = server_with(query_workers=2, play_workers=2)
    server.workers = []
    server.stop()
    server.edit_config(lambda t: t.replace("  query: 8", "  query: 2").replace("  play: 24",
                                                                               "  play: 1"))
    server.start()
    assert len(server.pids("query")) == 2
    server.edit_config(lambda t: t.replace("  query: 2", "  query: 3"))
    server.reload()
    assert len(server.pids("query")) == 3
    assert len(server.pids("play")) == 1


def test_a_bad_new_configuration_is_refused_and_the_old_one_goes_on(own_server):
    server = own_server
    before = server.pids("query")
    server.edit_config(lambda text: text + "\nhtpp:\n")
    os.kill(server.pid, signal.SIGHUP)
    server.wait_for(lambda: '"event":"reload_refused"' in server.log())
    assert "there is no setting 'htpp'; did you mean 'http'?" in server.log()
    server.edit_config(lambda text: text.replace("\nhtpp:\n", "\n").replace("port: 8080", "port: 8081")
                       .replace("listen: 127.0.0.1", "listen: 127.0.0.2"))
    os.kill(server.pid, signal.SIGHUP)
    server.wait_for(lambda: "another http.listen or http.port needs a restart" in server.log())
    assert server.pids("query") == before
    assert is_ready(server)


def hang_up(server, event):
    """SIGHUP, until the log says what became of it."""
    before = server.log().count(event)
    os.kill(server.pid, signal.SIGHUP)
    server.wait_for(lambda: server.log().count(event) > before)


def test_files_that_are_none_are_refused_at_a_reload_and_the_old_settings_go_on(own_server):
    server = own_server
    before = server.pids("query")
    makers = [os.mkdir, os.mkfifo, lambda path: os.symlink(path, path)]
    for make, words in zip(makers, ["is a folder, a pipe", "is a folder, a pipe", "Too many levels"]):
        os.rename(server.config, server.config + ".kept")
        make(server.config)
        hang_up(server, '"event":"reload_refused"')
        assert f"{words}" in server.log() and is_ready(server)
        (os.rmdir if make is os.mkdir else os.remove)(server.config)
        os.rename(server.config + ".kept", server.config)
    for content in (b"\0" * 100, b"\xff\xfe", b"[" * 100_000, b"http:\n" * 1_000_000):
        with open(server.config, "rb") as f:
            good = f.read()
        with open(server.config, "wb") as f:
            f.write(content)
        hang_up(server, '"event":"reload_refused"')
        with open(server.config, "wb") as f:
            f.write(good)
    assert server.pids("query") == before and is_ready(server)
    server.reload()
    assert not set(server.pids("query")) & set(before)


def test_settings_of_no_bytes_are_all_defaults(server_with):
    server = server_with({"http.cors_origins": '["https://a.example"]'})
    server.stop()
    open(server.config, "wb").close()
    server.start()
    server.import_csv("pets", b"id,name\n1,Rex\n")
    server.stop()
    server.write_config(harness.configure(server.settings))
    server.start()
    asking = {"headers": {"Origin": "https://a.example"}}
    assert "Access-Control-Allow-Origin" in server.get("/api/ping", **asking).headers
    open(server.config, "wb").close()
    server.reload()
    assert "Access-Control-Allow-Origin" not in server.get("/api/ping", **asking).headers


def test_a_reload_follows_the_settings_link_to_where_it_leads_by_then(own_server):
    server = own_server
    os.rename(server.config, server.config + ".1")
    os.symlink(server.config + ".1", server.config)
    server.restart()
    with open(server.config, encoding="utf-8") as f:
        text = f.read().replace("  cors_origins: []", '  cors_origins: ["https://a.example"]')
    server.write_config(text)
    os.rename(server.config, server.config + ".2")
    os.symlink(server.config + ".2", server.config)
    server.reload()
    assert "Access-Control-Allow-Origin" in server.get(
        "/api/ping", headers={"Origin": "https://a.example"}).headers


def test_sigterm_waits_for_the_request_that_runs(own_server):
    server = own_server
    body = b"id,name\n1,one\n"
    head = (f"POST /v1/datasets/late/imports HTTP/1.1\r\nHost: x\r\nX-API-Key: {server.admin_key}\r\n"
            f"Content-Type: text/csv\r\nContent-Length: {len(body)}\r\n"
            "Expect: 100-continue\r\nConnection: close\r\n\r\n")
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as s:
        s.sendall(head.encode())
        # From here on nginx waits for the body.
        assert s.recv(4096).startswith(b"HTTP/1.1 100 ")
        s.sendall(body[:5])
        os.kill(server.pid, signal.SIGTERM)
        server.wait_for(lambda: '"event":"stopping"' in server.log())
        s.sendall(body[5:])
        answer = b""
        while piece := s.recv(4096):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 202 "), answer
    assert server.process.wait(30) == 0
    assert '"event":"child_killed"' not in server.log()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_leaves_nothing_behind(own_server, number):
    server = own_server
    pids = harness.descendants(server.pid)
    os.kill(server.pid, number)
    assert server.process.wait(30) == 0
    assert not [pid for pid in pids if harness.name(pid)]


def test_children_follow_a_killed_supervisor_and_the_next_start_succeeds(own_server):
    server = own_server
    pids = harness.descendants(server.pid)
    os.kill(server.pid, signal.SIGKILL)
    server.process.wait(10)
    again = subprocess.Popen([harness.binary(), "serve", "--config", server.config, "--data",
                              server.data, "--port", str(server.port), *server.workers],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL)
    server.process = again
    assert again.stdout.readline() == f"ready {server.url}\n".encode()
    assert again.stdout.readline() == f"admin key: {server.data}/admin.key\n".encode()
    server.wait_for(lambda: not [pid for pid in pids if harness.name(pid)])


def test_a_second_start_on_the_same_data_is_refused(server):
    done = serve("--data", server.data, "--port", str(harness.free_port()))
    assert done.returncode == 1
    assert f"playmeter serves the data directory {server.data} already" in done.stderr
    assert is_ready(server)


@contextlib.contextmanager
def writing(server):
    """Holds the writer's lock, as an import of the command line does."""
    with open(os.path.join(server.data, "run/writer.lock"), "w", encoding="ascii") as f:
        fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def test_a_start_does_not_migrate_what_another_process_writes(own_server):
    own_server.stop()
    database = os.path.join(own_server.data, "playmeter.db")
    os.remove(database)
    with writing(own_server):
        done = serve("--config", own_server.config, "--data", own_server.data, "--port",
                     str(harness.free_port()))
    assert done.returncode == 1
    assert f"another process writes the database under {own_server.data}" in done.stderr
    assert not os.path.exists(database)


def test_a_start_beside_an_import_of_the_command_line_writes_after_it(own_server):
    server = own_server
    server.stop()
    with writing(server):
        server.process = subprocess.Popen(
            [harness.binary(), "serve", "--config", server.config, "--data", server.data, "--port",
             str(server.port), *server.workers],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        server.wait_for(lambda: is_ready(server))
    server.import_csv("pets", b"id,name\n1,Rex\n")


def test_a_port_in_use_is_named(server, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        data = os.path.join(server.base, "other")
        done = serve("--data", data, "--port", str(port))
    assert done.returncode == 1
    assert f"port {port} of 127.0.0.1 is in use by another program" in done.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="only root changes its user")
@pytest.mark.parametrize("user, message", [
    ("root", "server.user is a user of its own, not root, not nobody, got 'root'"),
    ("nobody", "server.user is a user of its own, not root, not nobody, got 'nobody'"),
    ("playmeter-absent", "there is no user 'playmeter-absent'; make it with: useradd"),
])
def test_the_user_is_checked(server, user, message):
    path = os.path.join(server.base, f"{user}.yaml")
    with open(path, "w", encoding="ascii") as f:
        f.write(f"server:\n  user: {user}\n")
    done = serve("--config", path, "--data", os.path.join(server.base, "user"))
    assert done.returncode == 1
    assert message in done.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="only root changes its user")
def test_a_data_directory_out_of_reach_is_explained(server):
    closed = os.path.join(server.base, "closed")
    os.mkdir(closed, 0o700)
    done = serve("--data", os.path.join(closed, "data"), "--port", str(harness.free_port()))
    assert done.returncode == 1
    assert f"the user 'playmeter' cannot enter {closed}, which is on the way to" in done.stderr


def test_a_closed_data_directory_is_explained(server):
    """As after a start by root, when somebody else starts."""
    # The build may lie where only its owner can go.
    program = shutil.copy(harness.binary(), server.base)
    closed = os.path.join(server.base, "of-another")
    os.mkdir(closed, 0o000)
    somebody = {"user": "nobody", "extra_groups": []} if os.getuid() == 0 else {}
    done = subprocess.run([program, "serve", "--data", closed], capture_output=True, text=True,
                          timeout=20, stdin=subprocess.DEVNULL, cwd="/", **somebody)
    assert done.returncode == 1
    assert f"the data directory {closed} is closed to this user; start as its owner" in done.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="only root changes its user")
def test_nothing_runs_as_root(server):
    uid = pwd.getpwnam("playmeter").pw_uid
    pids = [server.pid, *harness.descendants(server.pid)]
    assert {os.stat(f"/proc/{pid}").st_uid for pid in pids} <= {0, uid}
    for pid in pids:
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            ids = next(line for line in f if line.startswith("Uid:")).split()[1:]
        assert ids == [str(uid)] * 4


def test_secrets_are_readable_by_their_owner_alone(server):
    paths = [os.path.join(server.data, "admin.key")]
    conf = os.path.join(server.data, "nginx/conf")
    paths += [os.path.join(conf, name) for name in os.listdir(conf)]
    assert len(paths) > 5
    for path in paths:
        assert os.stat(path).st_mode & 0o777 == 0o600, path
    for name in ["query", "play", "writer"]:
        path = os.path.join(server.data, f"run/{name}.sock")
        assert os.stat(path).st_mode & 0o777 == 0o660, path


def debian_release():
    """OpenSSL of Debian 13 has more on the heap of each process, and more pages of its own."""
    with open("/etc/debian_version", encoding="ascii") as f:
        number = re.match(r"\d+", f.read())
    return int(number[0]) if number else 99  # testing has a name


@pytest.mark.shipped
def test_idle_memory_is_small(server_with):
    server = server_with(query_workers=8, play_workers=24)
    server.wait_for(lambda: "admin key: " in server.log())  # the probe is gone
    pids = [server.pid, *harness.descendants(server.pid)]
    sizes = {pid: pss_kib(pid) for pid in pids}
    total = sum(sizes.values()) / 1024
    print(f"idle memory of {len(pids)} processes: {total:.1f} MiB PSS")
    assert total <= (60 if debian_release() <= 12 else 70)
