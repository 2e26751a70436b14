"""`make install` puts the program, its settings, the systemd unit and the manual page where a packager
says, without being root, and they fit each other."""

import os
import re
import subprocess

import pytest

import harness

pytestmark = pytest.mark.shipped

# root without any capability, so that changing an owner fails as it does for others.
UNPRIVILEGED = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []


def make(target, destination, *settings):
    done = subprocess.run([*UNPRIVILEGED, "make", "-s", target, f"DESTDIR={destination}", *settings],
                          cwd=harness.ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr


def files(folder):
    return {os.path.relpath(os.path.join(parent, name), folder)
            for parent, _, names in os.walk(folder) for name in names}


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("prefix, etc, settings", [
    ("usr/local", "etc", []),
    ("usr", "usr/etc", ["PREFIX=/usr", "SYSCONFDIR=/usr/etc"]),
])
def test_installed_files_fit_each_other(tmp_path, prefix, etc, settings):
    root = tmp_path / "a root"
    make("install", root, *settings)
    program, page = f"{prefix}/bin/playmeter", f"{prefix}/share/man/man1/playmeter.1"
    unit, yaml = f"{prefix}/lib/systemd/system/playmeter.service", f"{etc}/playmeter/playmeter.yaml"
    assert files(root) == {program, page, unit, yaml}
    assert re.search(r"^ExecStart=(.*)$", (root / unit).read_text(), re.M)[1] == \
        f"/{program} serve --config /{yaml} --data /var/lib/playmeter"
    version = run(root / program, "--version")
    assert version.returncode == 0 and re.fullmatch(r"playmeter \d+\.\d+\.\d+\S*\n", version.stdout)
    assert run(root / program, "version").stdout == version.stdout
    checked = run(root / program, "check-config", root / yaml)
    assert checked.returncode == 0 and checked.stdout.startswith("ok: "), checked.stderr

    # An update leaves settings alone, and so does its end.
    (root / yaml).write_text("workers:\n  query: 2\n")
    (root / program).unlink()
    make("install", root, *settings)
    assert files(root) == {program, page, unit, yaml}
    make("uninstall", root, *settings)
    assert files(root) == {yaml} and (root / yaml).read_text() == "workers:\n  query: 2\n"


def test_manual_page_names_every_command():
    commands = [line.split()[0] for line in run(harness.binary(), "--help").stdout.splitlines()
                if line.startswith("  ")]
    with open(os.path.join(harness.ROOT, "conf/playmeter.1"), encoding="utf-8") as f:
        described = re.findall(r"^\.It Ic ([a-z-]+)", f.read(), re.M)
    assert "serve" in commands and sorted(described) == sorted(commands)
