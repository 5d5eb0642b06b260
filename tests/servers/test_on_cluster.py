"""The end-to-end suite on RabbitMQ and a cluster that loses a primary during the run."""

import pytest

from tests.e2e.test_whole_shop import *  # noqa: F403 - all of its tests, whichever there are
from tests.servers.failover import *  # noqa: F403 - as below
from tests.servers.places import cluster_and_rabbitmq
from tests.servers.several_hosts import *  # noqa: F403 - as below

del shop  # noqa: F821 - which came along: theirs is in conftest.py

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("cluster")]

PLACE = cluster_and_rabbitmq
