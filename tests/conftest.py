"""Settings shared by all tests."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: test workers share the cores

from hypothesis import settings

settings.register_profile("ttcs", deadline=None)  # a shared machine makes any deadline flaky
settings.load_profile("ttcs")
