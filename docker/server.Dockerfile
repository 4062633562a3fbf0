# The server of an establishment.
# docker build -f docker/server.Dockerfile -t sightline-server .
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
RUN python3 docker/choose.py server >server.lock \
 && python3 -m venv /opt/sightline \
 && /opt/sightline/bin/pip install --no-cache-dir --require-hashes --requirement server.lock
COPY schemas schemas
COPY cli cli
COPY server server
RUN tools/bin/hatchling build --target wheel \
 && /opt/sightline/bin/pip install --no-cache-dir --no-deps dist/*.whl \
 && /opt/sightline/bin/python -m pip uninstall --yes pip setuptools

FROM debian:12-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3 \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 sightline \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin sightline \
 && install -d -m 700 -o sightline -g sightline /data
COPY --from=build /opt/sightline /opt/sightline
ENV PATH=/opt/sightline/bin:$PATH LANG=C.UTF-8 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8710
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8710/health', timeout=4)"]
ENTRYPOINT ["sightline", "server"]
CMD ["--data", "/data", "--host", "0.0.0.0"]
