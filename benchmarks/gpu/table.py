"""Rows as Markdown tables."""

from typing import Any

from benchmarks.gpu.flops import limit
from benchmarks.gpu.worker import Job
from inference.models.hardware import GB

Rows = list[dict[str, Any]]


def tables(jobs: dict[str, Job], rows: Rows, about: dict[str, Any]) -> str:
    """Everything that was measured, and what was not and why."""
    rates: dict[str, float] = next((row["rates"] for row in rows if "rates" in row), {})
    products = ", ".join(f"{name} {rate:.0f} TFLOP/s" for name, rate in rates.items()) or "not measured"
    software = ", ".join(f"{name} {number}" for name, number in about.get("versions", {}).items())
    lines = [f"{about.get('card', 'no card')}; matrix products: {products}; {software}", ""]
    parts = [_drawing(jobs, rows, rates), _training(jobs, rows), _capped(jobs, rows), _demo(jobs, rows)]
    lines += [line for part in parts for line in part]
    return "\n".join(lines).rstrip() + "\n"


def _of(jobs: dict[str, Job], rows: Rows, kind: str) -> Rows:
    return [row for row in rows if jobs[row["job"]].kind == kind]


def _drawing(jobs: dict[str, Job], rows: Rows, rates: dict[str, float]) -> list[str]:
    shown = [r for r in _of(jobs, rows, "draw") if r["way"] != "bounds" and "@" not in r["way"]]
    if not shown:
        return []
    lines = ["| model, steps | way | s/image | eager diffusers / this | of limit | GB while drawing | ready s | |"]
    lines += ["|---|---|---:|---:|---:|---:|---:|---|"]
    plain = {jobs[r["job"]].profile: r["seconds"] for r in shown if r["way"] == "diffusers" and "seconds" in r}
    seen: set[tuple[str, str]] = set()
    for row in shown:
        job = jobs[row["job"]]
        way = row["way"] + (", warm-started" if (job.profile, row["way"]) in seen else "")
        seen.add((job.profile, row["way"]))
        if row.get("problem"):
            lines.append(f"| {job.profile} | {way} | | | | | | {row['problem']} |")
            continue
        ratio = f"{plain[job.profile] / row['seconds']:.2f}x" if job.profile in plain else ""
        least = limit(job, row["steps"], rates, fp8="quantize fp8" in row["plan"])
        share = f"{least / row['seconds']:.0%}" if least and not job.tiny else ""
        cells = (
            f"{job.profile}, {row['steps']}", way, f"{row['seconds']:.3f}", ratio, share, _gb(row.get("allocated")),
            f"{row['setup']:.1f}", row["note"],
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def _training(jobs: dict[str, Job], rows: Rows) -> list[str]:
    shown = [r for r in _of(jobs, rows, "train") if not r.get("part")]
    if not shown:
        return []
    lines = ["| trained model | plan, size | s/step | minutes for 1000 | peak GB | predicted GB | ready s | |"]
    lines += ["|---|---|---:|---:|---:|---:|---:|---|"]
    for row in shown:
        job = jobs[row["job"]]
        way = row["way"] + (" mixed" if row.get("mixed") else "")
        if row.get("problem"):
            lines.append(f"| {job.profile} | {way} | | | | | | {row['problem']} |")
            continue
        cells = (
            job.profile, way, f"{row['seconds']:.3f}", f"{row['seconds'] * 1000 / 60:.1f}", _gb(row.get("allocated")),
            _gb(row.get("predicted")), f"{row['setup']:.1f}" if "setup" in row else "", row.get("note", ""),
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def _capped(jobs: dict[str, Job], rows: Rows) -> list[str]:
    shown = [r for r in _of(jobs, rows, "draw") if "@" in r["way"]]
    if not shown:
        return []
    lines = ["| cap GiB | model, tier | draws | GB while drawing | plan |", "|---:|---|---|---:|---|"]
    for row in shown:
        tier, _, cap = row["way"].partition("@")
        plan = row.get("plan", "").partition(": ")[2]
        verdict = row.get("problem") or "yes"
        lines.append(
            f"| {cap} | {jobs[row['job']].profile}, {tier} | {verdict} | {_gb(row.get('allocated'))} | {plan} |"
        )
    return [*lines, ""]


def _demo(jobs: dict[str, Job], rows: Rows) -> list[str]:
    shown = _of(jobs, rows, "demo")
    if not shown:
        return []
    lines = ["| the demo, end to end | s | |", "|---|---:|---|"]
    for row in shown:
        seconds = f"{row['seconds']:.1f}" if "seconds" in row else ""
        lines.append(f"| {row['way']} | {seconds} | {row.get('problem') or row.get('note', '')} |")
    return [*lines, ""]


def _gb(value: int | None) -> str:
    return f"{value / GB:.1f}" if value else ""
