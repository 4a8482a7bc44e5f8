# One instance. Built from the folder that docker/images.mjs assembles: npm run images
ARG BASE_IMAGE=node:26-bookworm-slim
FROM ${BASE_IMAGE} AS base
# With what the program calls, without anything that changes users or installs software; what is left is listed.
USER root
COPY debian-packages install.sh sbom.mjs strip.sh /build/
RUN bash /build/install.sh runtime && bash /build/strip.sh && node /build/sbom.mjs base > /usr/share/base-components.json && rm -rf /build /var/lib/dpkg

# One layer, so that what was removed is in none.
FROM scratch
COPY --from=base / /
ARG BASE_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ENV PATH=${BASE_PATH}

LABEL org.opencontainers.image.title="Longhouse runtime"

# What changes least comes first, so that a new build of Longhouse is one small layer.
WORKDIR /data
WORKDIR /app
COPY health-check.sh warm-up.sh ./
COPY node_modules/better-sqlite3/ ./node_modules/better-sqlite3/
COPY node_modules/esbuild/ ./node_modules/esbuild/
COPY node_modules/npm/ ./node_modules/npm/
COPY node_modules/@esbuild/ ./node_modules/@esbuild/
COPY --chown=10001:10001 compile-cache/ ./compile-cache/
COPY runtime/ ./dist/
COPY sbom.mjs runtime-components.json ./
ARG VERSION=0.0.0
RUN node sbom.mjs image longhouse-runtime "$VERSION" /usr/share/base-components.json runtime-components.json > sbom.cdx.json

# The root file system is read-only; what wants a home gets the one place besides the volume that is not.
ENV NODE_ENV=production HOME=/tmp LONGHOUSE_DATA_DIR=/data LONGHOUSE_HOST=0.0.0.0 LONGHOUSE_PORT=8080 \
  NODE_COMPILE_CACHE=/app/compile-cache
# What a sign-in's password hash or a large answer took goes back to the system: a thousand instances share the host.
ENV MALLOC_ARENA_MAX=2 MALLOC_TRIM_THRESHOLD_=131072 MALLOC_MMAP_THRESHOLD_=131072 \
  NODE_OPTIONS=--max-semi-space-size=1

USER 10001:10001
# An image whose program does not start is not built, and one that did starts a fifth faster: its code is compiled.
RUN bash /app/warm-up.sh
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["bash", "/app/health-check.sh", "/api/health", "localhost"]
CMD ["node", "/app/dist/runtime.js"]
