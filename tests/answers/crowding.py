import time


def crowding() -> float:
    """How many times longer than its processor time work takes now (1 or more): limits are for a quiet machine."""
    start, used = time.perf_counter(), time.process_time()
    while time.process_time() - used < 0.05:
        pass
    return max(1.0, (time.perf_counter() - start) / 0.05)
