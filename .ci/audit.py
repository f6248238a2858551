"""Known vulnerabilities of the pinned versions: pip-audit over constraints.txt.

    python .ci/audit.py                 make audit: whatever could not be looked up is a failure
    python .ci/audit.py --offline-ok    make check: goes on, and says so, where there is no service to ask

First the service is asked about a release that is known to be vulnerable. Only one that knows of it can tell anything
about ours: without a network, or behind a mirror that has no such data, "nothing found" would mean nothing. Options
that this script does not have are pip-audit's, such as -s osv.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PINNED = Path(__file__).parent.parent / "constraints.txt"
KNOWN = "pillow==9.0.0"
"""Its holes have been public since January 2022: CVE-2022-22815, -22816 and -22817."""

NOT_REACHED = re.compile(
    r"^(requests\.exceptions\.\w*(Connection|Timeout|Proxy|SSL)\w*|pip_audit\._service\.interface\.\w*Error"
    r"|ERROR:pip_audit\._cli:Could not connect)\b.*",
    re.MULTILINE,
)
"""The last words of pip-audit where the network or the service is at fault; it has no exit code of its own for it."""


def pip_audit(requirements: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """pip-audit over a file of pinned versions, none of which is installed for it."""
    command = [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", "--no-deps", "--disable-pip"]
    return subprocess.run(
        [*command, "--requirement", str(requirements), *options], capture_output=True, text=True, check=False
    )


def why_it_cannot_be_asked(options: list[str]) -> str:
    """Why the service cannot be asked, "" where it can. Whatever else is wrong with pip-audit ends the program."""
    with tempfile.TemporaryDirectory() as folder:
        one = Path(folder) / "known.txt"
        one.write_text(KNOWN + "\n", encoding="utf-8")
        done = pip_audit(one, "--format", "json", *options)
    if done.stdout:
        (answer,) = json.loads(done.stdout)["dependencies"]
        if answer.get("vulns"):
            return ""
        return str(answer.get("skip_reason") or f"it knows no vulnerability of {KNOWN}")
    last = [match.group() for match in NOT_REACHED.finditer(done.stderr)][-1:]
    return last[0].split(" (Caused by")[0] if last else sys.exit(done.stderr)


def main() -> int:
    """Run; returns the exit code: 0 nothing is known against our versions, 1 something is, or nobody could be asked."""
    parser = argparse.ArgumentParser(description="Known vulnerabilities of the versions in constraints.txt.")
    parser.add_argument("--offline-ok", action="store_true", help="go on where there is no service to ask")
    args, options = parser.parse_known_args()
    why = why_it_cannot_be_asked(options)
    if why:
        kind = "WARNING" if args.offline_ok else "error"
        after = "; make audit must succeed before a release" if args.offline_ok else ""
        sys.stderr.write(f"{kind}: NOTHING WAS AUDITED, the vulnerability service cannot be asked ({why}){after}\n")
        return 0 if args.offline_ok else 1
    done = pip_audit(PINNED, "--strict", *options)
    sys.stdout.write(done.stdout)
    sys.stderr.write(done.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
