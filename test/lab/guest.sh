#!/bin/sh
# PID 1 of the lab's guest: makes the root that initramfs.sh laid out into a machine (file systems, modules, loopback,
# PATH), runs the guest's one Node process and powers off. Copied into the share, so a run keeps what it ran.
# LAB_NODE, LAB_REPOSITORY, LAB_MODULES and LAB_TERMINAL come from the host in /run/lab/environment.

# shellcheck disable=SC1091
. /run/lab/environment
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM="${LAB_TERMINAL:-linux}"

mkdir -p /dev/pts /dev/shm /run/netns /run/lock
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs tracefs /sys/kernel/tracing
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null

# On merged-usr machines /lib is a link; the mount point has to exist on either.
mkdir -p "/lib/modules/$(uname -r)"
mount --bind "$LAB_MODULES" "/lib/modules/$(uname -r)"
hostname director
ip link set lo up

cat >/usr/local/bin/ipvigil <<END
#!/bin/sh
exec "$LAB_NODE" "$LAB_REPOSITORY/dist/src/bundle/cli.js" "\$@"
END
chmod +x /usr/local/bin/ipvigil

cd "$LAB_REPOSITORY" || echo "lab: $LAB_REPOSITORY is not visible in the guest"
setsid -c -w "$LAB_NODE" dist/test/lab/guest.js </dev/ttyS0 >/dev/ttyS0 2>&1
echo "lab: the guest runner ended with $?"
sync
echo o >/proc/sysrq-trigger
sleep 30
