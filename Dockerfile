# The light build, with SQLite:        docker build -t api-key-rotator:latest .
# Dockerfile.enterprise makes the other one; they differ in the preset only and share every layer before the compile.
ARG BASE_IMAGE=debian:12
FROM ${BASE_IMAGE} AS build
WORKDIR /src

# Slow and rarely different, so before all that changes more often.
COPY scripts/install-deps.sh scripts/
RUN scripts/install-deps.sh --image

COPY CMakeLists.txt CMakePresets.json ./
COPY cmake/ cmake/
COPY src/ src/
RUN cmake --preset light && cmake --build --preset light

COPY LICENSE ./
COPY deploy/image/ deploy/image/
COPY scripts/image_root.sh scripts/make_sbom.py scripts/
# Seconds since 1970; where it is given, the same sources make the same files.
ARG SOURCE_DATE_EPOCH
RUN scripts/image_root.sh build/light/api-key-rotator /image

FROM scratch
LABEL org.opencontainers.image.title="API Key Rotator (light)" \
      org.opencontainers.image.description="Gateway with pools of API keys for REST and LLM services; SQLite" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /image/root/ /
# A volume that is made for the folder gets its owner.  A folder that is mounted keeps its own: chown 10001 it.
COPY --from=build --chown=10001:10001 /image/owned/ /app/
ENV PATH=/usr/local/bin \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 10001:10001
WORKDIR /app
VOLUME /app/data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/usr/local/bin/api-key-rotator", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/api-key-rotator"]
