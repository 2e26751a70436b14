"""What the daily reports cost on the largest inputs that they are made for: the shell's command on
bare files, from its start to its end."""

import os
import shutil
import subprocess
import time

from probe import BUILD, harness

SIZES = {"purchases": 1_000_000, "confirmations": 800_000, "campaigns": 1000, "days": 90,
         "sessions": 5_000_000}
SECONDS = "all reports of 1,000,000 purchases, s"
MEMORY = "all reports of 1,000,000 purchases, peak MB"


def inputs():
    folder = os.path.join(BUILD, "reports-" + "-".join(str(size) for size in SIZES.values()))
    if not os.path.exists(folder):
        shutil.rmtree(folder + ".new", ignore_errors=True)
        arguments = [text for name, size in SIZES.items() for text in (f"--{name}", str(size))]
        subprocess.run([os.path.join(harness.ROOT, "scripts/make-report-csv"), folder + ".new",
                        *arguments], stdout=subprocess.DEVNULL, check=True, timeout=600)
        os.rename(folder + ".new", folder)
    return folder


def peak_of(pid):
    """KiB.  Not wait4's figure: that one begins with the memory of the process that forked."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            return next((int(line.split()[1]) for line in f if line.startswith("VmHWM")), 0)
    except OSError:
        return 0


def run(rounds, results):
    folder, output = inputs(), os.path.join(BUILD, "reports-out")
    for _ in range(rounds):
        shutil.rmtree(output, ignore_errors=True)
        began = time.perf_counter()
        process = subprocess.Popen([harness.binary(), "report", "--input", folder, "--output",
                                    output], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        peak_kb = 0
        while process.poll() is None:
            peak_kb = max(peak_kb, peak_of(process.pid))
            time.sleep(0.01)
        results.add(SECONDS, time.perf_counter() - began)
        results.add(MEMORY, peak_kb * 1024 / 1e6)
        assert process.returncode == 0, process.returncode
    shutil.rmtree(output, ignore_errors=True)
