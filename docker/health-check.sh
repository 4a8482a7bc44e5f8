# health-check.sh <path> <host>: whether the program in this container answers 200 there. Without Node, which would take
# twice the processor time and half of an idle instance's memory again.
# `control` stands for the control plane, which is asked by IP address: its own name is sent to HTTPS when TLS is on.
path=$1 host=$2
[ "$host" = control ] && host=127.0.0.1
# A program that refuses what it is sent may close the connection while we write.
trap '' PIPE
# ask <what comes before the request>
ask() {
  status=
  exec 3<>"/dev/tcp/127.0.0.1/${LONGHOUSE_PORT:-8080}" || exit 1
  printf '%bGET %s HTTP/1.0\r\nHost: %s\r\nAccept: application/json\r\n\r\n' "$1" "$path" "$host" >&3 2>/dev/null
  read -r _ status _ <&3
}
if [ -z "${LONGHOUSE_PROXY_PROTOCOL:-}" ]; then
  ask ''
else
  # This address may be among the proxies, whose connections must begin so. If it is not, this is no request.
  ask 'PROXY UNKNOWN\r\n'
  case $status in '' | 400) ask '' ;; esac
fi
echo "$status"
# A failing check of the control plane closes no door: proxies stop sending requests to an unhealthy container, and all
# instances are behind this one. It answers; `/health` says what fails.
[ "$status" = 200 ] || { [ "$2" = control ] && [ "$status" = 503 ]; }
