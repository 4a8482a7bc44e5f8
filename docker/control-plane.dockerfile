# The control plane. Built from the folder that docker/images.mjs assembles: npm run images
ARG BASE_IMAGE=node:26-bookworm-slim
FROM ${BASE_IMAGE} AS base
# With what the program calls, without anything that changes users or installs software; what is left is listed.
USER root
COPY debian-packages install.sh sbom.mjs strip.sh /build/
RUN bash /build/install.sh control-plane && bash /build/strip.sh && node /build/sbom.mjs base > /usr/share/base-components.json && rm -rf /build /var/lib/dpkg

# One layer, so that what was removed is in none.
FROM scratch
COPY --from=base / /
ARG BASE_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ENV PATH=${BASE_PATH}

LABEL org.opencontainers.image.title="Longhouse control plane"

# What changes least comes first, so that a new build of Longhouse is one small layer.
WORKDIR /app
COPY health-check.sh ./
COPY longhouse.sh /usr/local/bin/longhouse
COPY node_modules/better-sqlite3/ ./node_modules/better-sqlite3/
COPY control-plane/ ./dist/
COPY sbom.mjs control-plane-components.json ./
ARG VERSION=0.0.0
RUN node sbom.mjs image longhouse-control-plane "$VERSION" /usr/share/base-components.json control-plane-components.json > sbom.cdx.json

ENV NODE_ENV=production HOME=/tmp PROVISIONER_DRIVER=docker LONGHOUSE_HOST=0.0.0.0 LONGHOUSE_PORT=8080 \
  LONGHOUSE_DATA_ROOT=/var/lib/docker/data/longhouse

USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["bash", "/app/health-check.sh", "/health", "control"]
CMD ["node", "/app/dist/control-plane.js"]
