import pytest

from tasks.delivery.settings import DEFAULT_ENDPOINT
from worker.errors import StartError
from worker.settings import load


def problem(**env: str) -> str:
    with pytest.raises(StartError) as stopped:
        load({f"WINBACK_{name}": value for name, value in env.items()})
    [line] = str(stopped.value).splitlines()
    return line


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://localhost:6379/0",
        "redis://:p%2Fw@[::1]:6379/15",
        "rediss://user:password@redis.example:6380/0?ssl_cert_reqs=required",
        "redis+sentinel://:password@a:26379,b:26379/mymaster/0",
        "redis+cluster://:password@a:6379,b:6379",
        "redis+cluster://a:7000",
    ],
)
def test_the_state_may_be_standalone_tls_sentinel_or_cluster(url: str) -> None:
    assert load({"WINBACK_REDIS_URL": url, "WINBACK_BROKER_URL": "amqp://h"}).redis_url == url


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("http://localhost", "must begin with redis://, rediss://, redis+sentinel:// or redis+cluster://"),
        ("localhost:6379", "must begin with redis://"),
        ("redis://", "names no host"),
        ("redis://h:0", "names no host"),
        ("redis://h:65536", "has a bad host or port"),
        ("redis://h:sixty", "has a bad host or port"),
        ("redis://[::1", "has a bad host or port"),
        ("redis://h/main", "has a database that is no number"),
        ("redis://a,b", "names several hosts"),
        ("redis+cluster://h/1", "names a database"),
        ("redis+sentinel://a:1,b:2", "names no service"),
        ("redis://:pass/hunter2@h", "write / ? # @ and spaces in a password as %2F %3F %23 %40 %20"),
        ("redis://:pass?hunter2@h", "write / ? # @ and spaces in a password as %2F %3F %23 %40 %20"),
        ("redis://:pass#hunter2@h", "write / ? # @ and spaces in a password as %2F %3F %23 %40 %20"),
    ],
)
def test_bad_state_url_is_reported_with_its_key(url: str, advice: str) -> None:
    line = problem(REDIS_URL=url)

    assert line.startswith("WINBACK_REDIS_URL: ")
    assert advice in line


@pytest.mark.parametrize(
    "url",
    [
        "redis://user:hunter2@h:99999",
        "redis://:hunter2",
        "redis:/:hunter2@h",
        "redis//:hunter2@h",
        ":hunter2@h",
        "redis://:pass/hunter2@h",
        "redis://h:hunter2",
        "redis://h/x?password=hunter2",
    ],
)
def test_a_password_in_a_bad_url_is_not_repeated(url: str) -> None:
    assert "hunter2" not in problem(REDIS_URL=url, BROKER_URL="amqp://h")
    assert "hunter2" not in problem(BROKER_URL=url)
    assert "hunter2" not in problem(DELIVERY__ENDPOINT=url)


@pytest.mark.parametrize(
    ("state", "broker"),
    [
        ("redis://localhost", "redis://localhost/1"),
        ("redis://:p%2Fw@h:6380/0", "redis://:p%2Fw@h:6380/1"),
        ("rediss://h/0", "rediss://h/1?ssl_cert_reqs=required"),
        ("rediss://h/5?ssl_cert_reqs=none&socket_timeout=3&db=2", "rediss://h/1?ssl_cert_reqs=none"),
    ],
)
def test_the_broker_is_database_1_of_the_states_server(state: str, broker: str) -> None:
    assert load({"WINBACK_REDIS_URL": state}).broker_url == broker


@pytest.mark.parametrize(
    ("state", "advice"),
    [
        (
            "redis+sentinel://h/mymaster",
            "is missing, and redis_url is a Sentinel, which cannot be the broker: name one",
        ),
        (
            "redis+cluster://h",
            "is missing, and redis_url is a Cluster, which cannot be the broker: name one small Redis",
        ),
        (
            "redis://h/1",
            "is missing, and redis_url takes database 1, the broker's: name a broker_url or move redis_url",
        ),
        ("redis://h/0?db=1", "is missing, and redis_url takes database 1"),
    ],
)
def test_a_broker_that_cannot_be_derived_must_be_named(state: str, advice: str) -> None:
    assert problem(REDIS_URL=state).startswith(f"broker_url: {advice}")


@pytest.mark.parametrize(
    "url",
    ["redis://h/3", "rediss://h/3?ssl_cert_reqs=optional", "amqp://u:p@h:5672//", "amqps://h", "amqp://a;amqp://b"],
)
def test_the_broker_may_be_redis_or_rabbitmq(url: str) -> None:
    assert load({"WINBACK_BROKER_URL": url}).broker_url == url


@pytest.mark.parametrize(
    ("url", "verified"),
    [
        ("rediss://h/3", "rediss://h/3?ssl_cert_reqs=required"),
        ("rediss://h/3?ssl_ca_certs=ca.pem", "rediss://h/3?ssl_ca_certs=ca.pem&ssl_cert_reqs=required"),
        ("rediss://:p%2Fw@h", "rediss://:p%2Fw@h?ssl_cert_reqs=required"),
    ],
)
def test_certificate_of_a_redis_broker_is_verified(url: str, verified: str) -> None:
    assert load({"WINBACK_BROKER_URL": url}).broker_url == verified


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("redis+cluster://h", "is a Redis Cluster, which Celery cannot use as a broker: name one small Redis"),
        ("redis+sentinel://h/m", "is a Sentinel, which is only for the state: name one small Redis"),
        ("sqs://h", "must begin with redis://, rediss://, amqp:// or amqps://"),
        ("redis://h/1?socket_timeout=3", "has the parameter socket_timeout"),
        ("rediss://h/1?ssl_cert_reqs=no", "must have required, optional or none for ssl_cert_reqs"),
        ("amqp://a;redis://h/x", "has a database that is no number"),
    ],
)
def test_unusable_broker_is_refused_with_a_hint(url: str, advice: str) -> None:
    line = problem(BROKER_URL=url)

    assert line.startswith("WINBACK_BROKER_URL: ")
    assert advice in line


@pytest.mark.parametrize(
    "url",
    [
        DEFAULT_ENDPOINT,
        "https://api-sandbox.y.uno/v1/smart-support/external/payments",
        "http://localhost:8080/x",
        "http://127.0.0.1:8080/x",
        "http://127.9.9.9/x",
        "http://[::1]:8080/x",
    ],
)
def test_the_endpoint_is_https_or_on_this_machine(url: str) -> None:
    assert load({"WINBACK_DELIVERY__ENDPOINT": f" {url}\n"}).delivery.endpoint == url


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        (
            "http://api.y.uno/v1",
            "must begin with https:// (plain http:// is only for localhost, 127.0.0.0/8 and [::1])",
        ),
        ("http://127.0.0.1.example.com/", "must begin with https://"),
        ("http://localhost.example.com/", "must begin with https://"),
        ("http://0.0.0.0/", "must begin with https://"),
        ("http://[::2]/", "must begin with https://"),
        ("ftp://127.0.0.1/", "must begin with https://"),
        ("https://user:hunter2@api.y.uno/v1", "holds a user name or password"),
        ("http://localhost@example.com/", "holds a user name or password"),
        ("https://api.y.uno/v1#x", "has a fragment"),
        ("https://api.y.uno/v1#", "has a fragment"),
        ("api.y.uno/v1", "is not a URL"),
        ("https://", "is not a URL"),
        ("https:///v1", "is not a URL"),
        ("http://localhost\\@example.com/", "is not a URL"),
        ("https://api.y.uno/v 1", "is not a URL"),
        ("https://api.y.uno:port/", "is not a URL"),
        ("https://ápi.y.uno/", "is not a URL"),
    ],
)
def test_unsafe_endpoint_is_refused(url: str, advice: str) -> None:
    line = problem(DELIVERY__ENDPOINT=url)

    assert line.startswith("WINBACK_DELIVERY__ENDPOINT: ")
    assert advice in line
    assert "hunter2" not in line
