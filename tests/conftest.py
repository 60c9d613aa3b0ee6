"""Settings shared by all tests."""

from hypothesis import settings

settings.register_profile("ttcs", deadline=None)  # a shared machine makes any deadline flaky
settings.load_profile("ttcs")
