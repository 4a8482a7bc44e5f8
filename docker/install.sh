# install.sh <program>: gives an image the Debian packages that `debian-packages` names for its program, and removes those
# that only the other program needs. A base that has them all, as scripts/base-image.sh makes one, needs no network.
# Runs once, as root, in the first stage of the Dockerfiles, before strip.sh.
set -euo pipefail
cd "$(dirname "$0")"
export DEBIAN_FRONTEND=noninteractive

packages_of() { sed -n "s/^$1 //p" debian-packages; }
installed() { [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

read -ra wanted <<<"$(packages_of "$1")"
if ! command -v dpkg-query >/dev/null; then
  for name in curl git unzip zip; do
    [[ " ${wanted[*]} " != *" $name "* ]] || command -v "$name" >/dev/null ||
      { echo "the base image has no $name, and it is not a Debian, where it could be installed" >&2; exit 1; }
  done
  exit
fi

missing=()
for name in "${wanted[@]}"; do installed "$name" || missing+=("$name"); done
if [ ${#missing[@]} -gt 0 ]; then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

needless=()
for name in $(packages_of '[a-z-]*'); do
  [[ " ${wanted[*]} " == *" $name "* ]] || ! installed "$name" || needless+=("$name")
done
[ ${#needless[@]} -eq 0 ] || apt-get purge -y -qq --auto-remove "${needless[@]}" >/dev/null
