"""The servers that `redis_url` and `broker_url` can name, and the default broker."""

from urllib.parse import parse_qsl, urlencode, urlsplit

_STANDALONE = ("redis", "rediss")
_STATE = (*_STANDALONE, "redis+sentinel", "redis+cluster")
_BROKER = (*_STANDALONE, "amqp", "amqps")
_REQUIRED = "ssl_cert_reqs=required"
_OTHER_BROKER = "one small Redis (redis://host:6379/0) or RabbitMQ (amqp://user:password@host:5672//)"


def check_redis_url(url: str) -> str:
    """Return the URL of the state server unchanged.

    Raises:
        ValueError: It has another scheme, no host, a bad port or a bad database. The message holds no password.
    """
    scheme = _scheme(url)
    if scheme not in _STATE:
        raise ValueError("must begin with redis://, rediss://, redis+sentinel:// or redis+cluster://")
    hosts, path = _split(url)
    if scheme in _STANDALONE:
        _check_standalone(hosts, path)
    elif scheme == "redis+sentinel":
        service, _, database = path.partition("/")
        if not service or (database and not _is_number(database)):
            raise ValueError("names no service: write it like redis+sentinel://host:26379,host:26379/mymaster/0")
    elif path not in {"", "0"}:
        raise ValueError("names a database: a cluster has only database 0, so leave it out")
    return url


def check_broker_url(url: str) -> str:
    """Return the URL of the broker, with its certificate verified; several AMQP servers can be separated by `;`.

    Raises:
        ValueError: Celery can't use it as a broker here, or it is malformed. The message holds no password.
    """
    for one in url.split(";"):
        scheme = _scheme(one)
        if "cluster" in scheme:
            raise ValueError(f"is a Redis Cluster, which Celery cannot use as a broker: name {_OTHER_BROKER}")
        if "sentinel" in scheme:
            raise ValueError(f"is a Sentinel, which is only for the state: name {_OTHER_BROKER}")
        if scheme not in _BROKER:
            raise ValueError("must begin with redis://, rediss://, amqp:// or amqps://")
        hosts, path = _split(one)
        if scheme in _STANDALONE:
            _check_standalone(hosts, path)
            _check_parameters(one)
    return _verified(url)


def derived_broker_url(redis_url: str) -> str:
    """Return the default broker: database 1 of the state server.

    Raises:
        ValueError: That server can't be the broker, or the state itself is in database 1.
    """
    if _scheme(redis_url) not in _STANDALONE:
        kind = "Sentinel" if "sentinel" in _scheme(redis_url) else "Cluster"
        raise ValueError(f"is missing, and redis_url is a {kind}, which cannot be the broker: name {_OTHER_BROKER}")
    url = urlsplit(redis_url)
    query = parse_qsl(url.query)
    if dict(query).get("db", url.path.strip("/")) == "1":
        raise ValueError(
            "is missing, and redis_url takes database 1, the broker's: name a broker_url or move redis_url"
        )
    # Celery's client supports the TLS parameters of redis-py's URLs and fails on the others.
    tls = urlencode([(name, value) for name, value in query if name.startswith("ssl_")])
    return _verified(url._replace(path="/1", query=tls, fragment="").geturl())


def _verified(url: str) -> str:
    """Return a URL with `ssl_cert_reqs`: kombu accepts any certificate without it, unlike the client of the state."""
    parts = urlsplit(url)
    if parts.scheme.lower() != "rediss" or "ssl_cert_reqs" in dict(parse_qsl(parts.query)):
        return url
    query = f"{parts.query}&{_REQUIRED}" if parts.query else _REQUIRED
    return parts._replace(query=query).geturl()


def _scheme(url: str) -> str:
    return url.partition("://")[0].lower() if "://" in url else ""


def _split(url: str) -> tuple[list[str], str]:
    """Return the hosts and the path of a URL with one or several hosts."""
    url = url.partition("://")[2]
    misplaced = "@" in url.partition("/")[2] or "@" in url.partition("?")[2]
    if misplaced or "#" in url or " " in url or not url.isprintable():
        raise ValueError("cannot be read: write / ? # @ and spaces in a password as %2F %3F %23 %40 %20")
    address, _, path = url.partition("?")[0].partition("/")
    hosts = address.rpartition("@")[2].split(",")
    for host in hosts:
        _check_host(host)
    return hosts, path.strip("/")


def _check_host(host: str) -> None:
    try:
        parts = urlsplit(f"//{host}")
        name, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("has a bad host or port: write host:port, with a port from 1 to 65535") from None
    if not name or port == 0:
        raise ValueError("names no host: write it like redis://localhost:6379/0")


def _check_standalone(hosts: list[str], database: str) -> None:
    if len(hosts) > 1:
        raise ValueError("names several hosts: that is only for redis+sentinel:// and redis+cluster://")
    if database and not _is_number(database):
        raise ValueError("has a database that is no number: write it like redis://localhost:6379/0")


def _check_parameters(broker_url: str) -> None:
    """Refuse parameters other than TLS: they cause a TypeError in kombu."""
    for name, value in parse_qsl(urlsplit(broker_url).query):
        if not name.startswith("ssl_"):
            raise ValueError(f"has the parameter {name}: a broker's URL can only have ssl_... parameters")
        if name == "ssl_cert_reqs" and value not in {"required", "optional", "none"}:
            raise ValueError("must have required, optional or none for ssl_cert_reqs")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()
