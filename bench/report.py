"""Measurements as a table in Markdown, ratios first."""

import json
from pathlib import Path
from typing import Any

_KINDS = {
    "compliance": "Training compliance on a day, by province",
    "expiring": "Falling out in 30, 60, 90 days, by province",
    "coverage": "Coverage and its gap on a day, by province",
    "trend_24": "Training compliance, 24 months",
    "trend_144": "Training compliance, 144 months",
    "growth_144": "Active assistants, 144 months",
    "compliance_county": "Training compliance in 1 to 3 counties, by post",
    "compliance_institute": "Training compliance in 1 to 3 institutes, by post",
    "trend_24_institute": "The same institutes, 24 months",
}


def load(path: Path) -> dict[str, Any]:
    """The results so far, by scale and part; empty if there is no file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def table(results: dict[str, Any]) -> str:
    """All results as Markdown."""
    scales = sorted(results, key=float)
    parts = [
        "<!-- written by python -m bench -->",
        *(_questions(scale, results[scale]["questions"]) for scale in scales if "questions" in results[scale]),
        *_analyses({scale: results[scale]["analyses"] for scale in scales if "analyses" in results[scale]}),
        *(_find(scale, results[scale]["find"]) for scale in scales if "find" in results[scale]),
        *_builds({scale: results[scale]["build"] for scale in scales if "build" in results[scale]}),
        *(_intake(results[scale]["intake"]) for scale in scales if "intake" in results[scale]),
        *(_pages(scale, results[scale]["pages"]) for scale in scales if "pages" in results[scale]),
        *(_briefings(scale, results[scale]["briefings"]) for scale in scales if "briefings" in results[scale]),
        *(_crowd(results[scale]["crowd"]) for scale in scales if "crowd" in results[scale]),
        *(_stall(results[scale]["stall"]) for scale in scales if "stall" in results[scale]),
        *(_hand_in(results[scale]["hand_in"]) for scale in scales if "hand_in" in results[scale]),
        *(_telling(results[scale]["telling"]) for scale in scales if "telling" in results[scale]),
        *(_hosts(results[scale]["hosts"]) for scale in scales if "hosts" in results[scale]),
        *_machine(results),
    ]
    return "\n\n".join(parts) + "\n"


def _questions(scale: str, result: dict[str, Any]) -> str:
    count = next(iter(result["kinds"].values()))["ask"]["times"]
    lines = [
        f"**Questions, scale {scale}** ({count} random ones of each kind; same answers checked in the run; "
        "times as slow as `ask`, by medians; then milliseconds, p50 / p95)",
        "",
        "| Question | pandas in memory | DuckDB on raw tables | scan of intervals | `ask` | pandas | raw | scan |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for kind, times in result["kinds"].items():
        rivals = [times["rivals"].get(name) for name in ("pandas", "duckdb_raw", "scan")]
        ratios = " | ".join(f"**× {_short(rival['times_slower'])}**" if rival else "–" for rival in rivals)
        cells = " | ".join(
            f"{_short(column['p50'])} / {_short(column['p95'])}" if column else "–"
            for column in (times["ask"], *rivals)
        )
        lines.append(f"| {_KINDS[kind]} | {ratios} | {cells} |")
    export = result["export"]
    if "xlsx_per_second" in export:
        lines += ["", f"The same rows as XLSX: {export['xlsx_per_second']:,} a second."]
    lines += [
        "",
        f"Every row of active service as CSV, {export['rows']:,} rows: **× {_short(export['ratio'])}** of DuckDB's own "
        f"COPY of them ({_short(export['dashboard']['p50'])} against {_short(export['copy']['p50'])} ms).",
    ]
    if "copy_named" in export:
        lines[-1] += (
            f" COPY writes bare codes, the dashboard writes names next to them; of COPY with names joined to its codes it is "
            f"× {export['ratio_named']:.2f}, of the bare one by processor time × {export['cpu_ratio']:.2f}."
        )
    if fetched := result.get("by_address"):
        lines += [
            "",
            f"An answer of {fetched['rows']:,} rows from the data address: × {fetched['ratio']:.2f} of the same file by hand.",
        ]
    if checks := result.get("scope_checks"):
        lines += ["", f"The scope of one province adds {checks['p50']} ms to a question, {checks['p95']} ms at p95."]
    return "\n".join(lines)


def _analyses(results: dict[str, Any]) -> list[str]:
    if not results:
        return []
    lines = [
        "**Analyses** (of the nation, cold, milliseconds, p50 / p95; slowest first)",
        "",
        f"| Analysis | {' | '.join(f'scale {scale}' for scale in results)} |",
        f"|---|{'--:|' * len(results)}",
    ]
    columns = [{name: times for name, times in result.items() if name != "machine"} for result in results.values()]
    for name in sorted(columns[-1], key=lambda name: -columns[-1][name]["p50"]):
        cells = [
            f"{_short(column[name]['p50'])} / {_short(column[name]['p95'])}" if name in column else "–"
            for column in columns
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return ["\n".join(lines)]


def _of(build: dict[str, Any], ratio: str) -> str:
    return f"**× {_short(build[ratio])}**" if ratio in build else "–"


def _builds(builds: dict[str, Any]) -> list[str]:
    if not builds:
        return []
    lines = [
        "**From files to published** (plain UTF-8 CSV; validation, quarantine, models and checks included)",
        "",
        "| Scale | of bare read_csv | of one with the dialect given, all as text | published, s | bare, s | text, s | rows "
        "| files, MB | memory at most, MB | result, MB |",
        "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for scale, build in builds.items():
        lines.append(
            f"| {scale} | {_of(build, 'ratio')} | {_of(build, 'ratio_text')} | {build['build_s']} | {build.get('bare_s', '–')} | "
            f"{build.get('text_s', '–')} | {build['rows']:,} | {build['mb']} | {build['peak_memory_mb']:,} | "
            f"{build['warehouse_mb']} |"
        )
    return ["\n".join(lines)]


def _intake(result: dict[str, Any]) -> str:
    lines = [
        f"**Five million rows of training** (from file or database to published, under `BUILD_MEMORY` of "
        f"{result['build_memory_mb']} MB; memory of all processes of the build)",
        "",
        "| Source | rows a second | memory beside `BUILD_MEMORY`, MB | rows | seconds | processor seconds |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    sources = {"csv": "CSV", "postgresql": "PostgreSQL", "postgresql_tenth": "PostgreSQL, a tenth of the rows"}
    for name, words in sources.items():
        if row := result.get(name):
            lines.append(
                f"| {words} | **{row['rows_a_second']:,}** | {row['beside_mb']:,} | {row['rows']:,} | {row['seconds']} | "
                f"{row['processor_seconds']} |"
            )
    return "\n".join(lines)


def _pages(scale: str, result: dict[str, Any]) -> str:
    lines = [
        f"**Pages, scale {scale}** (headless Chromium on this machine, {result['change']['page']['times']} changes of each in "
        "turns; the floor: a bare Streamlit page with the same figures, made before)",
        "",
        "| | of the floor | the page, ms | the floor, ms | bytes to the browser |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, words in (("first", "Warm page to its last chart"), ("change", "Filter change to the last chart")):
        part = result[name]
        lines.append(
            f"| {words} | **× {_short(part['ratio'])}** | {_short(part['page']['p50'])} / {_short(part['page']['p95'])} | "
            f"{_short(part['floor']['p50'])} / {_short(part['floor']['p95'])} | {part['bytes']:,} |"
        )
    lines += ["", f"The boundaries travelled {result['boundaries']} time(s) in a visit of {result['changes']} changes."]
    return "\n".join(lines)


def _briefings(scale: str, result: dict[str, Any]) -> str:
    book, floor = result["one"], result["floor"]
    return (
        f"**Briefings, scale {scale}** One book, from the command to the file: {book['p50'] / 1000:.2f} s "
        f"(p95 {book['p95'] / 1000:.2f} s), **× {_short(result['ratio'])}** of a process that imports DuckDB and Typst and opens "
        f"the publication ({floor['p50'] / 1000:.2f} s). {result['books']} books in one run: {result['all_ms'] / 1000:.1f} s, "
        f"**× {result['ratio_all']:.2f}** of as many runs for one."
    )


def _crowd(result: dict[str, Any]) -> str:
    lines = [
        f"**Crowd** (each reader changes a filter every {result['every_s']} s; milliseconds to the end of the rerun)",
        "",
        "| Processes | readers | p95 of one reader's | p50 / p95 | reruns a second | memory per reader, MB |",
        "|--:|--:|--:|--:|--:|--:|",
    ]
    for run in result["runs"]:
        lines.append(
            f"| {run['processes']} | {run['readers']} | **× {_short(run['of_one'])}** | "
            f"{_short(run['p50'])} / {_short(run['p95'])} | {_short(run['per_second'])} | {_short(run['mb_per_reader'])} |"
        )
    return "\n".join(lines)


def _attack(attack: dict[str, Any] | None) -> str:
    if attack is None:
        return ""
    return (
        f" Beside {attack['clients']} clients that ask for such files: p95 × {_short(attack['ratio'])}, health "
        f"{_short(attack['health_p95'])} ms (p95)."
    )


def _find(scale: str, result: dict[str, Any]) -> str:
    found, asked = result["find"], result["ask"]
    times = [f"{_short(one['p50'])} / {_short(one['p95'])}" for one in (found, asked)]
    return (
        f"**Find, scale {scale}** ({found['times']} phrases at the find address, each once; p95 of what they lead to, with "
        f"its number, by that of one question of the country): **× {_short(result['ratio'])}**; "
        f"p50 / p95 {times[0]} ms beside {times[1]}; "
        f"the list of words is made in {_short(result['first'])} ms."
    )


def _beside(result: dict[str, Any], what: str) -> str:
    """The reruns of readers without and beside something else."""
    quiet, beside = ((_short(result[name]["p50"]), _short(result[name]["p95"])) for name in ("quiet", "beside"))
    return f"p50 / p95 {quiet[0]} / {quiet[1]} ms without {what}, {beside[0]} / {beside[1]} beside {what}"


def _stall(result: dict[str, Any]) -> str:
    beside = result["beside"]
    return (
        f"**One question beside {result['readers']} readers** (Explore by institute, county and month over 25 years, one "
        f"process): reruns of the others {_beside(result, 'it')}: **× {_short(result['ratio'])}**; health answers within "
        f"{_short(beside['health_p95'])} ms (p95), {_short(beside['health_max'])} at most; the question takes "
        f"{_short(beside['worst_s'])} s." + _attack(result.get("attack"))
    )


def _hand_in(result: dict[str, Any]) -> str:
    return (
        f"**{result['provinces']} submissions at once beside {result['readers']} readers** ({result['files']} files of "
        f"{_short(result['mb'])} MB over HTTP and their checks, one process; readers change the province and the page): reruns "
        f"{_beside(result, 'them')}: **× {_short(result['ratio_p50'])}** and **× {_short(result['ratio'])}**; every "
        f"file had arrived within {_short(result['sent_s'])} s. A file of {result['largest_mb']} MiB took "
        f"{_short(result['memory_mb'])} MB of memory."
    )


def _telling(result: dict[str, Any]) -> str:
    return (
        f"**{result['conditions']:,} conditions of {result['people']} people beside {result['readers']} readers** (`python -m "
        f"pages tell` after a publication): all are evaluated within {_short(result['seconds'])} s; reruns "
        f"{_beside(result, 'it')}: **× {_short(result['ratio_p50'])}** and **× {_short(result['ratio'])}**."
    )


def _hosts(result: dict[str, Any]) -> str:
    lines = [
        "**Hosts** (network namespaces of one machine, each with its own copy of the publication and one web process, behind one "
        f"nginx; {result['readers']} readers without patience)",
        "",
        "| Hosts | reruns a second | p50 / p95, ms | readers that failed when a host was killed |",
        "|--:|--:|--:|--:|",
    ]
    for run in result["runs"]:
        failed = "–" if run["failed"] is None else str(run["failed"])
        lines.append(
            f"| {run['hosts']} | {_short(run['per_second'])} | {_short(run['p50'])} / {_short(run['p95'])} | {failed} |"
        )
    return "\n".join(lines)


def _machine(results: dict[str, Any]) -> list[str]:
    machines = [part["machine"] for scale in results.values() for part in scale.values()]
    if not machines:
        return []
    latest = max(machines, key=lambda machine: machine["taken_at"])
    packages = ", ".join(f"{name} {number}" for name, number in latest["packages"].items())
    loads = sorted(machine["load_before"][0] for machine in machines)
    return [
        f"Measured on {latest['cores']} cores ({latest['processor']}), {latest['memory_gb']} GB, {latest['system']}, "
        f"Python {latest['python']}, {packages}, {latest['chromium']}; {latest['taken_at']}. "
        f"Load of the machine before each part: {loads[0]} to {loads[-1]}."
    ]


def _short(number: float | None) -> str:
    if number is None:
        return "–"
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.1f}" if abs(number) >= 10 else f"{number:.2f}"
