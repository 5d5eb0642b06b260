"""The end-to-end suite on a primary with Sentinel, lost during the run, and a Redis for the broker."""

import pytest

from tests.e2e.test_whole_shop import *  # noqa: F403 - all of its tests, whichever there are
from tests.servers.failover import *  # noqa: F403 - as below
from tests.servers.places import sentinel_and_redis

del shop  # noqa: F821 - which came along: theirs is in conftest.py

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("sentinel")]

PLACE = sentinel_and_redis
