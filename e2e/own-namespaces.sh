#!/bin/bash
# own-namespaces.sh <folder> <command…>: runs a command as root in namespaces of its own: processes, mounts and network.
# Everything that it starts or mounts ends with it, and the rules of its firewall never meet those of another engine.
# It also ends when its standard input does: with whoever started it, however that ended. Then the folder is deleted,
# and the control groups that are named after it: those stand in the kernel and outlive the namespaces.
folder=$1
shift

clean_up() {
  rm -rf "$folder"
  find /sys/fs/cgroup -depth -type d -path "*/$(basename "$folder")*" -exec rmdir {} + 2>/dev/null
}
trap clean_up EXIT
trap '' HUP INT TERM

# The first process is a shell: it takes in the orphans that a killed engine leaves, which Node would not. An engine
# finds no containerd but its own, and leaves no socket on the machine.
unshare --net --mount --pid --fork --kill-child --mount-proc bash -c '
  trap "exit 143" USR1
  mkdir -p /run/containerd /run/docker
  mount -t tmpfs tmpfs /run/containerd
  mount -t tmpfs tmpfs /run/docker
  ip link set lo up
  exec 3<&0
  "$@" </dev/null 3<&- &
  { cat <&3 >/dev/null; kill -USR1 1; } &
  wait %1
  exit
' bash "$@"
