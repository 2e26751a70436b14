"""The README's calls, made as they stand there, answer what it says.

A block fenced as `console` holds commands, each on a line that begins with "$ " (a backslash at
its end goes on), and below each the output; `...` in the output stands for anything.  A block
fenced as `sh` that calls curl only has to succeed.  $KEY is the admin key, $TOKEN a player's,
games.csv a generated file in the current folder, and http://127.0.0.1:8080 the service, as after
`make run`.
"""

import datetime
import os
import re
import subprocess

import pytest

import harness

BASE_URL = "http://127.0.0.1:8080"


def blocks():
    with open(os.path.join(harness.ROOT, "README.md"), encoding="utf-8") as f:
        text = f.read()
    found = []
    for match in re.finditer(r"(?ms)^```(sh|console)\n(.*?)^```$", text):
        line = text[:match.start()].count("\n") + 1
        if "curl" in match[2]:
            found.append(pytest.param(match[1], match[2], id=f"line-{line}"))
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
def folder(server, tmp_path_factory):
    """The current folder of the reader, with the sample data served and reported."""
    folder = tmp_path_factory.mktemp("readme")
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
def token(server):
    return server.player("reader").token


def test_readme_shows_calls():
    assert len(blocks()) >= 5


@pytest.mark.parametrize("kind, text", blocks())
def test_readme_block_answers_as_shown(server, folder, token, kind, text):
    for command, expected in commands(kind, text):
        done = subprocess.run(
            ["bash", "-euc", command.replace(BASE_URL, server.url)], cwd=folder, timeout=60,
            env={**os.environ, "KEY": server.admin_key, "TOKEN": token}, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        if expected is None:
            continue
        answer = done.stdout.replace(server.url, BASE_URL).strip()
        assert re.fullmatch(pattern(expected), answer, re.S), \
            f"{command}\nthe README shows:\n{expected}\nthe answer is:\n{answer[:2000]}"
