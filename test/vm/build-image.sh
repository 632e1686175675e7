#!/bin/bash
# build-image.sh DIRECTORY: a Debian that takes itself for an EC2 instance, as DIRECTORY/{vmlinuz,initrd.img,base.raw}.
#
# Needs root, a Debian or Ubuntu host with its apt sources, and mmdebstrap, e2fsprogs, busybox-static, cpio. Nothing is
# mounted and nothing installed on the host. Packages come from the mirror that this machine's apt uses already.
# The image is cached by the hash of this file (scripts/vm.mjs): whoever changes it gets a new one.
set -euo pipefail
suite=trixie
out=$1
mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -v security | head -n 1)
mkdir -p "$out"
work=$(mktemp -d "$out/.work.XXXXXX")
trap 'rm -rf "$work"' EXIT
tree=$work/tree
mkdir "$tree"

# --- Kernel: out of its package, not installed ---
(
  cd "$work"
  kernel=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image-[0-9]/ { print $2 }')
  apt-get download "$kernel" >/dev/null 2>&1
  dpkg-deb -x linux-image*.deb kernel
)
cp "$work"/kernel/boot/vmlinuz-* "$out/vmlinuz"

# --- Initrd: busybox, what the disk and the network need, and the power button (the cloud kernel has ext4 built in) ---
initrd=$work/initrd modules=$(echo "$work"/kernel/lib/modules/*/kernel) n=10
mkdir -p "$initrd"/{bin,dev,proc,sys,newroot,modules}
cp /bin/busybox "$initrd/bin/"
for module in drivers/virtio/{virtio_ring,virtio,virtio_pci_legacy_dev,virtio_pci_modern_dev,virtio_pci} drivers/block/virtio_blk \
  net/core/failover drivers/net/{net_failover,virtio_net} drivers/char/hw_random/virtio-rng drivers/acpi/button drivers/input/evdev; do
  cp "$modules/$module.ko" "$initrd/modules/$n-${module##*/}.ko"
  n=$((n + 1))
done
cat >"$initrd/init" <<'X'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t devtmpfs dev /dev; $b mount -t proc proc /proc; $b mount -t sysfs sys /sys
for module in /modules/*.ko; do $b insmod $module || echo "insmod $module failed"; done
tries=0; until [ -b /dev/vda ] || [ $tries -ge 100 ]; do $b sleep 0.05; tries=$((tries + 1)); done
$b mount -t ext4 -o rw,noatime /dev/vda /newroot || { echo 'no root disk'; $b poweroff -f; }
$b umount /proc /sys; $b mount --move /dev /newroot/dev
exec $b switch_root /newroot /lib/systemd/systemd
X
chmod +x "$initrd/init"
(cd "$initrd" && find . | cpio -o -H newc --quiet | gzip -6) >"$out/initrd.img"

# --- Root file system ---
packages=systemd,systemd-sysv,dbus,udev,cloud-init,curl,ca-certificates,python3,iproute2,netbase,kmod,procps
mmdebstrap --mode=root --quiet --variant=minbase --include="$packages" "$suite" "$work/tree.tar" "$mirror"
tar -C "$tree" --numeric-owner -xf "$work/tree.tar"

# As Amazon Linux has it: cloud-init leaves the network to the system.
cat >"$tree/etc/cloud/cloud.cfg" <<'X'
users: []
disable_root: true
preserve_hostname: false
datasource_list: [Ec2]
datasource: {Ec2: {metadata_urls: ["http://169.254.169.254"], apply_full_imds_network_config: false}}
network: {config: disabled}
cloud_init_modules: [seed_random, bootcmd, write_files, set_hostname, update_hostname, users_groups]
cloud_config_modules: [runcmd]
cloud_final_modules: [write_files_deferred, scripts_vendor, scripts_per_once, scripts_per_boot, scripts_per_instance, scripts_user, final_message, power_state_change]
system_info:
  distro: debian
  network: {renderers: [networkd]}
  paths: {cloud_dir: /var/lib/cloud/, templates_dir: /etc/cloud/templates/}
X
printf '[Match]\nName=eth0\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=no\n' >"$tree/etc/systemd/network/10-eth0.network"

# What a VM of a minute does not need is masked: in software emulation each unit costs a tenth of a second.
units=$tree/etc/systemd/system
mkdir -p "$units"/{multi-user,network-online}.target.wants "$units/systemd-networkd-wait-online.service.d" \
  "$tree"/etc/systemd/{system-generators,journald.conf.d}
for generator in "$tree"/lib/systemd/system-generators/*; do ln -sf /dev/null "$tree/etc/systemd/system-generators/${generator##*/}"; done
for name in systemd-{resolved,pstore,timesyncd,hwdb-update,update-utmp,random-seed,firstboot,sysusers,modules-load,fsck-root}.service \
  systemd-{remount-fs,machine-id-commit,journal-catalog-update,update-done}.service ldconfig.service kmod-static-nodes.service modprobe@.service \
  cloud-init-hotplugd.{service,socket} e2scrub_reap.service getty.target remote-fs.target dev-hugepages.mount dev-mqueue.mount \
  sys-kernel-{debug,tracing}.mount sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount \
  apt-daily.timer apt-daily-upgrade.timer fstrim.timer e2scrub_all.timer dpkg-db-backup.timer systemd-tmpfiles-clean.timer; do
  ln -sf /dev/null "$units/$name"
done
ln -sf /lib/systemd/system/cloud-init.target /lib/systemd/system/systemd-networkd.service "$units/multi-user.target.wants/"
ln -sf /lib/systemd/system/systemd-networkd-wait-online.service "$units/network-online.target.wants/"
printf '[Service]\nExecStart=\nExecStart=/lib/systemd/systemd-networkd-wait-online --any --ipv4 -o degraded --timeout=30\n' \
  >"$units/systemd-networkd-wait-online.service.d/any.conf"
ln -sf /lib/systemd/system/multi-user.target "$units/default.target"
echo 'd /run/cloud-init 0755 root root -' >"$tree/etc/tmpfiles.d/cloud-init.conf"
printf '[Journal]\nStorage=volatile\n' >"$tree/etc/systemd/journald.conf.d/volatile.conf"

echo 0123456789abcdef0123456789abcdef >"$tree/etc/machine-id"
printf '127.0.0.1 localhost\n' >"$tree/etc/hosts"
: >"$tree/etc/fstab"
rm -f "$tree/etc/hostname" "$tree/etc/resolv.conf"
: >"$tree/etc/resolv.conf"
rm -rf "$tree"/var/cache/apt/* "$tree"/var/lib/apt/lists/* "$tree"/usr/share/{doc,man,locale}/*
touch "$tree/etc/.updated" "$tree/var/.updated"

# --- Disk, without a mount; the tree's user root is the host's ---
rm -f "$out/base.raw"
truncate -s 2G "$out/base.raw"
mke2fs -q -F -t ext4 -O ^has_journal -m 0 -E root_owner=0:0 -d "$tree" "$out/base.raw"
