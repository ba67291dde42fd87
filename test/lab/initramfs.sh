#!/bin/busybox sh
# /init of the lab's initramfs: loads the few modules that reach the host, lays a writable tmpfs over the host's
# read-only root, mounts the share that results go to, and hands over to guest.sh. What fails here is said on the
# serial console and ends the machine.
# shellcheck shell=dash

fail() {
	echo "lab: $1"
	echo o >/proc/sysrq-trigger
	sleep 10
}

/bin/busybox mkdir -p /proc /sys /dev /low /upper /root
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
read -r cmdline </proc/cmdline

# The host asks only whether a guest runs at all under KVM.
case "$cmdline" in *lab.probe*)
	echo "lab: the kernel runs"
	echo o >/proc/sysrq-trigger
	sleep 10
	;;
esac

# In the order of modules.dep, numbered by the host.
for module in /modules/*; do
	insmod "$module" || fail "insmod $module failed"
done

share_options=trans=virtio,version=9p2000.L,msize=524288
mount -t 9p -o ro,cache=loose,$share_options root /low || fail "the host's root does not mount"
mount -t tmpfs -o size=50% tmpfs /upper
mkdir -p /upper/data /upper/work
mount -t overlay -o lowerdir=/low,upperdir=/upper/data,workdir=/upper/work overlay /root || fail "overlay failed"
mkdir -p /root/run
mount -t tmpfs tmpfs /root/run
mkdir -p /root/run/lab
# Uncached: the host reads results while they are written, and the guest the host's plan.
mount -t 9p -o rw,cache=none,$share_options share /root/run/lab || fail "the share does not mount"

for each in proc sys dev; do
	mkdir -p "/root/$each"
	mount -o move "/$each" "/root/$each"
done
exec switch_root /root /bin/sh /run/lab/guest.sh
