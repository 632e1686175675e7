"""Temperatures by station, from a CSV file: python3 stats.py data.csv"""

import csv
import json
import os
import sys


def main(file):
    by_station = {}
    with open(file, newline="") as lines:
        for row, reading in enumerate(csv.DictReader(lines), start=2):
            by_station.setdefault(reading["station"], []).append(round(float(reading["temperature"]) * 10))
            if row % 50_000 == 0:
                print(f"{row} rows", file=sys.stderr)
    summary = [summarize(station, tenths) for station, tenths in by_station.items()]
    print("station      readings      mean       min       p95       max")
    for s in summary:
        cells = "".join(f"{s[name]:10.1f}" for name in ("mean", "min", "p95", "max"))
        print(f"{s['station']:<10} {s['readings']:10d}{cells}")
    os.makedirs("out", exist_ok=True)
    with open("out/summary.json", "w") as out:
        json.dump(summary, out, indent=2)


def summarize(station, tenths):
    tenths.sort()
    p95 = tenths[int(0.95 * (len(tenths) - 1))]
    return {
        "station": station,
        "readings": len(tenths),
        "mean": sum(tenths) / len(tenths) / 10,
        "min": tenths[0] / 10,
        "p95": p95 / 10,
        "max": tenths[-1] / 10,
    }


main(sys.argv[1])
