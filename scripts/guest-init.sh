#!/bin/busybox sh
# The first program of a virtual machine of the tests: takes the files of the machine around it, read-only but for /run, and runs the program that the
# kernel's command line names (guest=<path>). What that writes is the machine's output.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in /modules/*; do insmod "$module"; done
ifconfig lo 127.0.0.1 up
mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=512000 host /host
for each in proc sys dev; do mount -o bind /$each /host/$each; done
mount -t tmpfs -o mode=1777 run /host/run
mkdir -p /host/dev/shm && mount -t tmpfs -o mode=1777 shm /host/dev/shm
guest=$(sed 's/.*guest=\([^ ]*\).*/\1/' /proc/cmdline)
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin chroot /host /bin/bash "$guest"
echo "guest: ended with $?"
poweroff -f
