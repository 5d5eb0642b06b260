# syntax=docker/dockerfile:1

FROM python:3.13-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/winback
WORKDIR /build
# The dependencies have their own layer, which is rebuilt only when they change. Only wheels, so no compiler is needed.
COPY pyproject.toml constraints.txt ./
RUN python -c "import tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project']; print(*p['dependencies'], *p['optional-dependencies']['otel'], sep='\n')" \
        > dependencies.txt \
    && /opt/winback/bin/pip install --only-binary=:all: --constraint constraints.txt --requirement dependencies.txt
COPY README.md LICENSE ./
COPY detectors detectors
COPY state state
COPY storefronts storefronts
COPY thresholds thresholds
COPY tasks tasks
COPY worker worker
COPY winback winback
# pip isn't needed at run time.
RUN /opt/winback/bin/pip install --no-deps . && /opt/winback/bin/pip uninstall --yes pip

FROM python:3.13-slim-trixie
ENV PATH=/opt/winback/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONFAULTHANDLER=1 \
    PYTHONUNBUFFERED=1
RUN groupadd --gid 10001 winback \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin winback
# The collector's spool: a volume that is mounted there becomes the property of this user.
RUN install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/winback
COPY --from=build /opt/winback /opt/winback
# Celery reads flowerconfig.py, and Winback reads winback.toml, from the working directory.
WORKDIR /app
COPY flowerconfig.py winback.toml ./
USER 10001:10001
STOPSIGNAL SIGTERM
# The command selects the role. docker-compose.yml lists the commands and a health check for each.
CMD ["winback", "--help"]
