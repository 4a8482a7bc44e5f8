# Starts the runtime once on a volume that is thrown away, and ends it when it is healthy and has answered with a page: it
# then keeps what was compiled. Its log shows when it does not become healthy.
set -euo pipefail
volume=$(mktemp -d)
LONGHOUSE_INSTANCE_ID=inst_image LONGHOUSE_PASSWORD=$(tr -dc a-z0-9 </dev/urandom | head -c 24 || true) LONGHOUSE_DATA_DIR=$volume \
  node /app/dist/runtime.js --keep-compiled >"$volume.log" 2>&1 &
healthy=
for _ in $(seq 300); do
  if bash /app/health-check.sh /api/health localhost >/dev/null 2>&1; then
    healthy=1
    break
  fi
  kill -0 $! 2>/dev/null || break
  sleep 0.1
done
if [ -z "$healthy" ]; then
  cat "$volume.log" >&2
  echo 'the runtime does not become healthy in this image' >&2
  exit 1
fi
# What the first page takes is loaded with it, and compiled code is kept of what was loaded.
bash /app/health-check.sh /login localhost >/dev/null || true
kill -TERM $!
wait $! || true
rm -rf "$volume" "$volume.log"
