"""The end-to-end suite on Debian's Redis 7.0, for the state and the broker."""

import pytest

from tests.e2e.test_whole_shop import *  # noqa: F403 - all of its tests, whichever there are
from tests.servers.places import redis_7

del shop  # noqa: F821 - which came along: theirs is in conftest.py

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("redis")]

PLACE = redis_7
