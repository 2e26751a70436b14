"""What a row costs at three sizes: the same import and the same questions of 15 MB, 150 MB and
1.5 GB, divided by the rows.  A cost is constant when 150 MB and 1.5 GB differ by at most a fifth;
below that the costs that have nothing to do with rows show."""

import json
import os
import re
import statistics

import questions
from probe import PeakMemory, harness, import_seconds, upload, version_bytes, wait_quietly

SIZES = ["15MB", "150MB", "1500MB"]
LINES = [("import", "us a row"), ("peak memory of the load child", "bytes a row"),
         ("files of the version", "bytes a row"), ("count of a substring", "ns a row"),
         ("statistics of 4 columns, filtered", "ns a row"), ("similar games, top 10", "ns a row")]


def engine_ns(server, path, rows):
    times = [float(re.search(r"app;dur=([0-9.]+)", server.get(path).headers["Server-Timing"])[1])
             for _ in range(30)]
    return statistics.median(times) * 1e6 / rows


def measure(path, rounds, key):
    """line -> samples, of one size."""
    server = harness.Server({"imports.file_bytes_max": str(os.path.getsize(path))}).start()
    samples = {line: [] for line, _ in LINES}
    try:
        for _ in range(rounds):
            job = wait_quietly(server, upload(server, path)[0])
            rows = job["rows_done"]
            samples["import"].append(import_seconds(job) * 1e6 / rows)
            samples["files of the version"].append(version_bytes(server) / rows)
            for line, question in (("count of a substring", questions.COUNT_PATH),
                                   ("statistics of 4 columns, filtered", questions.STATS_PATH),
                                   ("similar games, top 10",
                                    questions.BASE + f"similar?key={key}&limit=10")):
                samples[line].append(engine_ns(server, question, rows))
        memory = PeakMemory(server)
        memory.start()
        wait_quietly(server, upload(server, path)[0])
        samples["peak memory of the load child"].append(memory.stop() / rows)
    finally:
        server.close()
    return samples


def run(games_file, rounds, json_path):
    all_samples = {}
    for size in SIZES:
        path = games_file(size)
        with open(path, encoding="utf-8", newline="") as f:
            key = f.readlines(100_000)[1].split(",")[1]
        # One import of the largest takes a minute; more of them say nothing new.
        all_samples[size] = measure(path, 1 if size == SIZES[-1] else rounds, key)
    print(f"{'':<46}{'':<13}" + "".join(f"{size:>11}" for size in SIZES) + "   largest / middle")
    for line, unit in LINES:
        medians = [statistics.median(all_samples[size][line]) for size in SIZES]
        growth = medians[2] / medians[1]
        print(f"{line:<46}{unit:<13}" + "".join(f"{m:>11.2f}" for m in medians) +
              f"   {growth:.2f}{'' if growth <= 1.2 else ': GROWS'}")
    with open(json_path, "w", encoding="utf-8") as f:
        json.dump(all_samples, f, indent=2)
