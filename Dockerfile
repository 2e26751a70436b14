# Two stages: the compiler stays behind.  The data is a volume, the settings are
# /etc/playmeter/playmeter.yaml (mount your own), the service runs without root.
FROM debian:bookworm-slim AS build
WORKDIR /src
COPY scripts/install-deps scripts/
RUN scripts/install-deps run
COPY . .
RUN make -j"$(nproc)"

FROM debian:bookworm-slim
RUN apt-get update -q \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        nginx-light ca-certificates curl libfcgi0ldbl libsqlite3-0 libjson-c5 libyaml-0-2 \
        libcurl4 libidn2-0 libssl3 libutf8proc2 zlib1g libsodium23 libcrack2 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --user-group --no-create-home --home-dir / --shell /usr/sbin/nologin \
        playmeter \
    && install -d -o playmeter -g playmeter -m 700 /data
COPY --from=build /src/build/release/playmeter /usr/local/bin/
# The dictionary alone: the package that makes it brings 8 MB of others.
COPY --from=build /var/cache/cracklib /var/cache/cracklib
COPY conf/playmeter.yaml /etc/playmeter/
# Inside a container loopback is reached by nobody; the port is published by whoever runs it.
ARG LISTEN=0.0.0.0
RUN sed -i "s/^  listen: .*/  listen: \"$LISTEN\"/" /etc/playmeter/playmeter.yaml \
    && playmeter check-config /etc/playmeter/playmeter.yaml
USER playmeter
VOLUME /data
ENV PORT=8080
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD curl -fsS "http://127.0.0.1:$PORT/readyz"
# The shell is gone once the service runs: signals go to the service.
CMD ["sh", "-c", "exec playmeter serve --config /etc/playmeter/playmeter.yaml --data /data --port \"$PORT\""]
