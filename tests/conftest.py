"""What every test over HTTP can ask for.

    games        session   the games loaded; for tests that change nothing
    server       module    empty at first; for tests that import datasets of their own
    own_server   test      empty, fresh; may be killed, reloaded, restarted
    own_games    test      the same with the games loaded
    server_with  test      server_with({"imports.file_bytes_max": "1MiB"}): fresh, other settings
    games_csv    session   path of the games file: 5,000 real ones, or generated
    source       session   HTTP server of good and bad files, for imports by URL
    dice         test      chance: seed, rounds and the branches that have to be reached
    module_dice  module    the same, for what the tests of a module share

Tests marked `asan`, or in one of ASAN_MODULES, run a second time against the build with
sanitizers: one for each thing that the product does is enough.  Tests marked `crash` kill and reload,
those marked `shipped` are about the program without sanitizers and do not run with them.
"""

import os
import subprocess
import sys

import pytest

import harness
import servers


# Between them they call every endpoint, well and badly.
ASAN_MODULES = {"test_api", "test_import_by_url"}


def pytest_configure(config):
    config.addinivalue_line("markers", "asan: runs against the build with sanitizers too")
    config.addinivalue_line("markers", "crash: kills or reloads the service while it works")
    config.addinivalue_line("markers", "shipped: about the program as it is shipped alone")


def pytest_collection_modifyitems(config, items):
    for item in items:
        if item.module.__name__ in ASAN_MODULES:
            item.add_marker(pytest.mark.asan)
    if harness.is_sanitized():
        shipped = [item for item in items if item.get_closest_marker("shipped")]
        config.hook.pytest_deselected(items=shipped)
        items[:] = [item for item in items if item not in shipped]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the end of the log of each server that runs."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        item.has_failed = True
        for server in harness.Server.running:
            # Without the polls that went well.
            lines = [line for line in server.log().splitlines()
                     if not ('"path":"/v1/jobs/' in line and '"status":200' in line)]
            report.sections.append((f"log of {server.url}", "\n".join(lines)[-6000:]))


thrown = []


def throw(request):
    dice = harness.Dice(request.module.__name__ if request.scope == "module" else request.node.name)
    yield dice
    thrown.append(str(dice))
    missed = [branch for branch, count in dice.reached.items() if not count]
    assert not missed or hasattr(request.node, "has_failed"), f"never reached: {missed}; {dice}"


dice = pytest.fixture(throw)
module_dice = pytest.fixture(throw, scope="module")


def pytest_terminal_summary(terminalreporter):
    for line in thrown:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def games_csv(tmp_path_factory):
    if os.path.isdir(harness.SHARED):
        return harness.shared("data/games_5k.csv")
    path = tmp_path_factory.mktemp("games") / "games.csv"
    with open(path, "wb") as f:
        subprocess.run([sys.executable, os.path.join(harness.ROOT, "scripts/make-games-csv"),
                        "5000"], stdout=f, check=True, timeout=60)
    return str(path)


def load_games(server, games_csv):
    with open(games_csv, "rb") as f:
        server.import_csv("games", f.read())
    return server


def running(settings=None):
    with harness.Server(settings) as server:
        yield server


@pytest.fixture(scope="session")
def games(games_csv):
    for server in running():
        yield load_games(server, games_csv)


@pytest.fixture(scope="module")
def server():
    yield from running()


@pytest.fixture
def own_server():
    yield from running()


@pytest.fixture
def own_games(own_server, games_csv):
    return load_games(own_server, games_csv)


@pytest.fixture
def server_with():
    started = []

    def start(settings=None, **more):
        server = harness.Server(settings, **more)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.close()


@pytest.fixture(scope="session")
def source():
    with servers.Source() as source:
        yield source
