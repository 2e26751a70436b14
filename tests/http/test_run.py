"""`make run`: the sample games come by themselves, once, and Ctrl-C ends all of it."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile

import pytest
import requests

import harness

RUN = os.path.join(harness.ROOT, "scripts/run")


class Run:
    """scripts/run as the only job of a terminal's foreground: a process group of its own."""

    def __init__(self, folder, **settings):
        self.port = harness.free_port()
        self.log_path = os.path.join(folder, "log")
        self.data = os.path.join(folder, "data")
        environment = {**os.environ, "DATA": self.data, "SAMPLE_ROWS": "50",
                       "PORT": str(self.port), **settings}
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([RUN], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, env=environment, start_new_session=True)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait_for(self, words):
        harness.Server.wait_for(lambda: words in self.log() or self.process.poll() is not None, 60,
                                lambda: f"no '{words}' in:\n{self.log()}")
        assert words in self.log(), self.log()

    def ask(self, method, path, **more):
        with open(os.path.join(self.data, "admin.key"), encoding="ascii") as f:
            headers = {"X-API-Key": f.read().strip(), "Content-Type": "text/csv"}
        return requests.request(method, f"http://127.0.0.1:{self.port}{path}", headers=headers,
                                timeout=10, **more)

    def rows(self, name="games"):
        """Of a dataset; None when there is none of the name."""
        answer = self.ask("GET", f"/v1/datasets/{name}/rows?limit=1")
        return answer.json()["meta"] if answer.status_code == 200 else None

    def import_csv(self, name, content):
        job = self.ask("PUT", f"/v1/datasets/{name}/imports", data=content).json()
        harness.Server.wait_for(
            lambda: self.ask("GET", f"/v1/jobs/{job['id']}").json()["state"] == "succeeded", 20)

    def interrupt(self):
        """What Ctrl-C sends, and to whom; nobody of the group may be left."""
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(30)
        harness.Server.wait_for(lambda: not self.group(), 5,
                                lambda: f"left behind: {self.group()}")

    def group(self):
        return [harness.name(pid) for pid, (_, state) in harness.parents().items()
                if state != "Z" and is_of_group(pid, self.process.pid)]


def is_of_group(pid, group):
    try:
        return os.getpgid(pid) == group
    except ProcessLookupError:
        return False


@contextlib.contextmanager
def started(folder, **settings):
    run = Run(folder, **settings)
    try:
        yield run
    finally:
        if run.group():
            run.interrupt()


@pytest.fixture
def folder():
    """A folder that the service's own user can pass; pytest's own is closed."""
    path = tempfile.mkdtemp(prefix="playmeter-test-")
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def test_the_sample_is_loaded_once_and_ctrl_c_ends_everything(folder):
    with started(folder) as run:
        run.wait_for("sample: 50 games")
        run.wait_for("sample: 6 reports of ")
        assert f"ready http://127.0.0.1:{run.port}\n" in run.log()
        assert f"admin key: {folder}/data/admin.key\n" in run.log()
        assert run.rows() == {"total": 50, "version": 1}
        run.interrupt()
    with started(folder) as run:
        run.wait_for("admin key: ")
        assert run.rows() == {"total": 50, "version": 1}
        run.interrupt()
        assert "sample" not in run.log()


def test_a_start_without_the_sample_does_not_decide_for_the_next(folder):
    with started(folder, SAMPLE="0") as run:
        run.wait_for("admin key: ")
        assert run.rows() is None
    # Stopped while the games are still being made.
    with started(folder, SAMPLE_ROWS="20000") as run:
        run.wait_for("admin key: ")
        run.interrupt()
        assert "Traceback" not in run.log()
        assert "could not be loaded" not in run.log()
    with started(folder) as run:
        run.wait_for("sample: 50 games")
        assert run.rows() == {"total": 50, "version": 1}


def test_a_sample_that_was_stopped_goes_on_and_replaces_nothing(folder):
    with started(folder) as run:
        run.wait_for("sample: 50 games")
        run.interrupt()
        assert "sample: 6 reports" not in run.log()
    # What somebody has put there meanwhile.
    with started(folder, SAMPLE="0") as run:
        run.wait_for("admin key: ")
        run.import_csv("costs_daily", b"date,campaign,ad_cost_usd\n2025-10-20,Mine,3\n")
        run.interrupt()
    with started(folder, SAMPLE_ROWS="60") as run:
        run.wait_for("sample: 6 reports of ")
        assert run.rows() == {"total": 50, "version": 1}
        assert run.rows("costs_daily")["total"] == 1
        assert run.rows("sessions")["total"] > 100
        run.interrupt()
        assert "sample: 60 games" not in run.log()
    with started(folder) as run:
        run.wait_for("admin key: ")
        run.interrupt()
        assert "sample" not in run.log()


def test_folders_above_new_data_can_be_passed_by_the_service(folder):
    data = os.path.join(folder, "above/below/data")
    with started(folder, DATA=data, SAMPLE="0") as run:
        run.wait_for("ready ")
        # The data itself is nobody else's.
        assert os.stat(data).st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.getuid() != 0, reason="nobody else gives the data to another user")
def test_a_folder_that_only_root_can_enter_is_named_before_anything_is_built(folder):
    os.chmod(folder, 0o700)
    run = Run(folder, DATA=os.path.join(folder, "new", "data"))
    assert run.process.wait(30) == 1
    said = run.log()
    assert f"cannot enter {folder} on the way" in said and f"chmod o+x {folder}" in said
    assert len(said.splitlines()) == 1 and os.listdir(folder) == ["log"]


def test_a_sample_that_cannot_be_made_is_no_traceback(tmp_path):
    done = subprocess.run([os.path.join(harness.ROOT, "scripts/load-sample"), str(tmp_path), "many"],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert "not 'many'" in done.stderr and "the service goes on" in done.stderr
    assert "Traceback" not in done.stderr
