"""The commands of the README and the manual, run as they stand there, answer what they say.

    console       a command on each line that begins with "$ " (a backslash at its end goes on), and
                  below it its output, in which `...` stands for anything
    sh            commands that have to succeed
    sh elsewhere  commands that need systemd or Docker, which a test has not: their syntax is checked, and
                  that they run nothing of ours
    json, text    no commands

They run in a folder like a clone after `make run`: $KEY is the admin key, $TOKEN a player's, var the data
directory, http://127.0.0.1:8080 the service, and playmeter the program under test.  make and apt-get
tell what they would do, and pytest collects.
"""

import datetime
import glob
import os
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

import harness

BASE_URL = "http://127.0.0.1:8080"
README = os.path.join(harness.ROOT, "README.md")
PAGES = sorted(glob.glob(os.path.join(harness.ROOT, "nginx/www/manual/*.md")))
KINDS = {"console", "sh", "sh elsewhere", "json", "text"}
ELSEWHERE = {"systemctl", "docker", "certbot", "cat"}
# sudo of what is safe to run here as whoever runs the tests.
SUDO = """#!/bin/sh
case $1 in
make) exec "$@" ;;
apt-get) shift; exec apt-get --simulate "$@" ;;
*) echo "sudo: not in a test: $*" >&2; exit 1 ;;
esac
"""


def text_of(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def blocks(*kinds):
    found = []
    for path in [README, *PAGES]:
        text = text_of(path)
        for match in re.finditer(r"(?ms)^```([^\n]*)\n(.*?)^```$", text):
            if match[1] in kinds or not kinds:
                line = text[:match.start()].count("\n") + 1
                found.append(pytest.param(match[1], match[2],
                                          id=f"{os.path.basename(path)}-{line}"))
    return found


def commands(kind, text):
    """(command, expected output or None)"""
    if kind == "sh":
        return [(text, None)]
    found = []
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("$ "):
            command = line[2:]
            while command.endswith("\\"):
                command += "\n" + next(lines)
            found.append((command, ""))
        else:
            assert found, f"output without a command: {line}"
            found[-1] = (found[-1][0], found[-1][1] + line + "\n")
    return found


def pattern(expected):
    return ".*?".join(re.escape(part) for part in expected.strip().split("..."))


def generate(script, *arguments):
    return subprocess.run([os.path.join(harness.ROOT, "scripts", script), *arguments],
                          stdout=subprocess.PIPE, check=True, timeout=60).stdout


@pytest.fixture(scope="module")
def folder(server):
    """The current folder of the reader, with the sample data served and reported; the service's own
    user can reach it."""
    folder = pathlib.Path(server.base, "clone")
    folder.mkdir()
    folder.chmod(0o755)
    for name in os.listdir(harness.ROOT):
        if name not in ("build", "var"):
            (folder / name).symlink_to(os.path.join(harness.ROOT, name))
    (folder / "var").symlink_to(server.data)
    (folder / "bin").mkdir()
    (folder / "bin/playmeter").symlink_to(harness.binary())
    (folder / "bin/python3").symlink_to(sys.executable)
    (folder / "bin/sudo").write_text(SUDO)
    (folder / "bin/sudo").chmod(0o755)
    games = generate("make-games-csv", "5000")
    (folder / "games.csv").write_bytes(games)
    server.import_csv("games", games)
    yesterday = datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(days=1)
    generate("make-report-csv", str(folder / "month"), "--until", str(yesterday))
    for name in ("purchases_raw", "confirmed_purchases", "costs_daily", "sessions"):
        server.import_csv(name, (folder / "month" / f"{name}.csv").read_bytes())
    job = server.post("/v1/reports/runs").json()["id"]
    assert server.wait_job(job)["state"] == "succeeded"
    return folder


@pytest.fixture(scope="module")
def environment(server, folder):
    return {**os.environ, "KEY": server.admin_key, "TOKEN": server.player("reader").token,
            "PATH": f"{folder}/bin:{os.environ['PATH']}", "MAKEFLAGS": "n",
            "PYTEST_ADDOPTS": "--collect-only -q -p no:cacheprovider"}


def test_readme_shows_calls():
    assert len([block for block in blocks("console") if block.id.startswith("README")]) >= 5


@pytest.mark.parametrize("kind, text", blocks())
def test_block_is_of_a_known_kind(kind, text):
    assert kind in KINDS and text.strip()


@pytest.mark.parametrize("kind, text", blocks("console", "sh"))
def test_block_answers_as_shown(server, folder, environment, kind, text):
    for command, expected in commands(kind, text):
        done = subprocess.run(
            ["bash", "-euc", command.replace(BASE_URL, server.url)], cwd=folder, timeout=60,
            env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        if expected is None:
            continue
        answer = done.stdout.replace(server.url, BASE_URL).strip()
        assert re.fullmatch(pattern(expected), answer, re.S), \
            f"{command}\nthe page shows:\n{expected}\nthe answer is:\n{answer[:2000]}"


@pytest.mark.parametrize("kind, text", blocks("sh elsewhere"))
def test_block_for_elsewhere_runs_nothing_of_ours(kind, text):
    done = subprocess.run(["bash", "-nc", text], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for line in text.splitlines():
        words = shlex.split(line)
        assert words[words[0] == "sudo"] in ELSEWHERE


def inline_commands():
    """Calls of the program inside of sentences and tables."""
    found = []
    for path in [README, *PAGES]:
        for command in re.findall(r"`playmeter ([^`]+)`", text_of(path)):
            found.append(pytest.param(command, id=f"{os.path.basename(path)}-{command}"))
    return found


@pytest.mark.parametrize("command", inline_commands())
def test_inline_command_has_its_options(command):
    words = command.split()
    told = subprocess.run([harness.binary(), words[0], "--help"], capture_output=True, text=True,
                          timeout=60)
    assert told.returncode == 0, told.stderr
    for option in (word for word in words if word.startswith("--")):
        assert f"{option} " in told.stdout


def anchors(path):
    """As GitHub and most others make them."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"(?m)^#+ (.+)$", text_of(path))}


@pytest.mark.parametrize("path", [README, os.path.join(harness.ROOT, "worker/README.md"), *PAGES],
                         ids=lambda path: os.path.relpath(path, harness.ROOT))
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)]+)\)", text_of(path)):
        name, _, anchor = target.partition("#")
        there = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
        assert os.path.exists(there), target
        assert not anchor or anchor in anchors(there), target


def test_readme_names_every_page():
    linked = set(re.findall(r"\]\(nginx/www/manual/([^)#]+)\)", text_of(README)))
    assert linked == {os.path.basename(path) for path in PAGES}
