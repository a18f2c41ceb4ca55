"""What the numbers were taken on, and whether it was quiet."""
import os
import pathlib
import platform
import re
import subprocess


def _first_line(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.splitlines()[0].strip()
    except (OSError, IndexError):
        return "unknown"


def _cpu():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    found = re.search(r"^model name\s*:\s*(.*)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()


def _system():
    text = pathlib.Path("/etc/os-release").read_text()
    return re.search(r'^PRETTY_NAME="?([^"\n]*)', text, re.MULTILINE)[1]


def _processor_ticks():
    """All ticks of all cores, and those that another machine on the same host took away."""
    fields = [int(field) for field in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return sum(fields), fields[7]


def activity():
    """To be taken before the run."""
    total, stolen = _processor_ticks()
    return {"load": os.getloadavg()[0], "total": total, "stolen": stolen}


def describe(before):
    total, stolen = _processor_ticks()
    return {
        "processor": _cpu(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "virtual": "hypervisor" in pathlib.Path("/proc/cpuinfo").read_text(),
        "system": _system(),
        "kernel": ".".join(platform.release().split(".")[:2]),
        "compiler": _first_line("cc", "--version"),
        "libmicrohttpd": _first_line("pkg-config", "--modversion", "libmicrohttpd"),
        "gnutls": _first_line("pkg-config", "--modversion", "gnutls"),
        "load_before": round(before["load"], 2),
        "stolen_percent": round(100 * (stolen - before["stolen"]) / max(1, total - before["total"]), 2),
    }
