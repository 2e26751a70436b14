"""Programs that npm brings, pinned by tests/package-lock.json and installed in build/ once for each
state of that file.  They run beside files of their own, say nothing home and ask no network.

    tools = node_tools.Tools(folder)       # links node_modules into it
    tools.run("redocly", "lint", "openapi.json").stdout
"""

import hashlib
import os
import shutil
import subprocess

import harness

FILES = ("package.json", "package-lock.json", ".npmrc")
INSTALL_SECONDS = 300
RUN_SECONDS = 120


def path(*parts):
    return os.path.join(harness.ROOT, "tests", *parts)


def installed():
    """The folder of node_modules."""
    digest = hashlib.sha256()
    for name in FILES:
        with open(path(name), "rb") as f:
            digest.update(f.read())
    home = os.path.join(harness.ROOT, "build/npm", digest.hexdigest()[:16])
    if os.path.isdir(home):
        return os.path.join(home, "node_modules")
    # Under another name until it is whole.
    fresh = f"{home}.{os.getpid()}"
    os.makedirs(fresh)
    try:
        for name in FILES:
            shutil.copy(path(name), fresh)
        done = subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=fresh, capture_output=True,
                              text=True, timeout=INSTALL_SECONDS)
        assert done.returncode == 0, f"npm ci: {done.stdout}{done.stderr}"
        os.rename(fresh, home)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return os.path.join(home, "node_modules")


class Tools:
    def __init__(self, folder):
        self.folder = str(folder)
        self.modules = os.path.join(self.folder, "node_modules")
        os.symlink(installed(), self.modules)

    def run(self, program, *arguments):
        """One of the installed programs, or node itself; the caller looks at what it says."""
        if program != "node":
            program = os.path.join(self.modules, ".bin", program)
        return subprocess.run([program, *arguments], cwd=self.folder, text=True,
                              capture_output=True, timeout=RUN_SECONDS, env={
                                  "PATH": os.environ["PATH"], "HOME": self.folder, "NO_COLOR": "1",
                                  "REDOCLY_TELEMETRY": "off",
                                  "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"})
