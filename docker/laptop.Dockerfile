# The agent of one laptop. It listens nowhere, so whether it is well is seen at the server, by remote support.
# docker build -f docker/laptop.Dockerfile -t sightline-laptop .
FROM debian:12-slim AS build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY requirements.lock pyproject.toml README.md ./
COPY docker/choose.py docker/
RUN python3 -m venv tools \
 && python3 docker/choose.py hatchling >tools.lock \
 && tools/bin/pip install --no-cache-dir --no-compile --require-hashes --requirement tools.lock
RUN python3 docker/choose.py laptop >laptop.lock \
 && python3 -m venv /opt/sightline \
 && /opt/sightline/bin/pip install --no-cache-dir --require-hashes --requirement laptop.lock
COPY schemas schemas
COPY cli cli
COPY laptop laptop
RUN tools/bin/hatchling build --target wheel \
 && /opt/sightline/bin/pip install --no-cache-dir --no-deps dist/*.whl \
 && /opt/sightline/bin/python -m pip uninstall --yes pip setuptools

FROM debian:12-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3 tini \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 sightline \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin sightline \
 && install -d -m 700 -o sightline -g sightline /data
COPY --from=build /opt/sightline /opt/sightline
ENV PATH=/opt/sightline/bin:$PATH LANG=C.UTF-8 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
# An agent that hangs is killed by its watchdog, which the first process of a container could not be.
ENTRYPOINT ["tini", "--", "sightline", "laptop"]
CMD ["--help"]
