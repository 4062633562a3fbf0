"""What processes use, as the kernel counts it."""

import psutil


def cpu_s(pid: int) -> float:
    """User and system time of a process and its children so far, seconds."""
    one = psutil.Process(pid)
    times = [each.cpu_times() for each in (one, *one.children(recursive=True))]
    return sum(time.user + time.system for time in times)


def rss_mb(pid: int) -> float:
    """Resident memory of a process and its children, MB; pages that they share are counted in each."""
    one = psutil.Process(pid)
    return sum(each.memory_info().rss for each in (one, *one.children(recursive=True))) / 1e6
