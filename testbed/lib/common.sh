# Names, paths and small helpers that every part of the test bed shares.

# The script that reads this says what its things are called, so that two clusters can be up side by
# side: $hub is the control plane's network namespace, $bridge the interface in it, $node_prefix what
# a node's namespaces, cgroup and plug begin with, $run the running cluster's folder.

readonly hub_ip4=10.91.0.1 hub_ip6=fd91::1
readonly service_ip4=10.96.0.1  # the kubernetes service, first address of the service range
readonly api_port=6443

readonly cache=${CATFLAP_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/catflap}/testbed
readonly run_mark=$run/.catflap-cluster  # says that the folder is ours to delete
readonly pki=$run/pki

# Debian packages: openssl and curl talk to the API server, the rest is what these scripts call and
# what nodes and Calico's images are made of.
readonly packages=(
	ca-certificates conntrack containerd containernetworking-plugins coreutils curl debianutils
	findutils gcc grep hostname ipset iproute2 iptables libc6-dev mawk mount nftables openssl procps
	runc sed tar util-linux
)

readonly program=${BASH_SOURCE[-1]##*/}

say() { printf '%s\n' "$*"; }
die() {
	printf '%s: %s\n' "$program" "$*" >&2
	exit 1
}
usage_error() {
	printf '%s: %s (see ./dev %s help)\n' "$program" "$*" "$program" >&2
	exit 2
}
# cannot_run REASON: exit 3 tells the caller to skip and not to fail.
cannot_run() {
	printf 'cannot run here: %s\n' "$*" >&2
	exit 3
}

# stage TEXT: a line of progress with the seconds since this command started.
readonly started_us=${EPOCHREALTIME/./}
stage() {
	local us=$((${EPOCHREALTIME/./} - started_us))
	printf '%3d.%d s  %s\n' $((us / 1000000)) $((us / 100000 % 10)) "$*"
}

# within SECONDS CMD...: repeats CMD until it succeeds; its output is dropped.
within() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < deadline)) || return 1
		sleep 0.1
	done
}

check_machine() {
	((EUID == 0)) || cannot_run "the nodes' namespaces and mounts need root"
	local missing
	missing=$(missing_packages "${packages[@]}")
	[[ -z $missing ]] ||
		cannot_run "missing packages: apt-get install --no-install-recommends --no-remove" $missing
	grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null ||
		cannot_run "the kernel has no overlay file system"
	[[ $(file_system_of "$run") != overlayfs ]] ||
		cannot_run "$run is on overlayfs, which cannot carry the nodes' own overlays:" \
			"set CATFLAP_RUN to a folder on a real file system"
	awk '$5 == "/" { found = 1 } END { exit !found }' /proc/self/mountinfo ||
		cannot_run "/ is not a mount point, as in a chroot, and nodes' mounts need one:" \
			"bind-mount the folder to itself before chroot"
	unshare --net --mount --pid --uts --ipc --fork true 2>/dev/null ||
		cannot_run "this machine does not let root make namespaces"
	[[ -n $(cgroup_roots) ]] || cannot_run "no cgroup hierarchy is mounted at /sys/fs/cgroup"
}

missing_packages() {
	local package
	for package in "$@"; do
		[[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
			say "$package"
	done
}

# file_system_of FOLDER: of what it will be made in, if it is not there yet.
file_system_of() {
	local folder
	folder=$(realpath -m "$1")
	until [[ -e $folder ]]; do
		folder=$(dirname "$folder")
	done
	stat -f -c %T "$folder"
}

# Go is looked for where its own installer puts it, too; Debian's is too old for Kubernetes. The
# modules ask for 1.24; 1.26 is what all of this was built and run with.
check_go() {
	command -v go >/dev/null || PATH=$PATH:/usr/local/go/bin
	command -v go >/dev/null || cannot_run "no Go toolchain (1.26 or newer) to build Kubernetes with"
	local version
	version=$(GOTOOLCHAIN=local go env GOVERSION) # go1.26.4, go1.27rc1, devel go1.28-0123abc
	[[ $version =~ go1\.([0-9]+) ]] && ((BASH_REMATCH[1] >= 26)) ||
		cannot_run "$version is too old to build with, 1.26 is needed"
}

# cgroup_roots: one folder per hierarchy: v1 controllers side by side, or v2's only root.
cgroup_roots() {
	awk '($3 == "cgroup" || $3 == "cgroup2") && $2 ~ "^/sys/fs/cgroup" { print $2 }' /proc/mounts
}

has_ipv6() { [[ -e /proc/net/if_inet6 ]]; }

# is_up: an `up` ran to its end, and neither `down` nor a reboot came since; with the Calico that
# CATFLAP_CALICO asks for, if it does.
is_up() {
	[[ -e $run/up && -e /run/netns/$hub ]] &&
		[[ -z ${CATFLAP_CALICO:-} || $(<"$run/up") == "$calico_version" ]]
}
not_up() {
	if [[ -s $run/up && -e /run/netns/$hub ]]; then
		say "not up with Calico $calico_version but with $(<"$run/up")"
	else
		say "not up"
	fi
}
need_up() { is_up || die "$(not_up) (./dev $program up)"; }

node_names() {
	local dir
	for dir in "$run"/nodes/*; do
		say "${dir##*/}"
	done
}

# node_addresses NAME: its IPv4 address and, where it has one, its IPv6 address.
node_addresses() { cat "$run/nodes/$1/addresses"; }

# in_namespace NAME CMD...: nothing is changed but the network.
in_namespace() {
	local ns=$1
	shift
	nsenter --net="/run/netns/$ns" -- "$@"
}

# spawn NAMESPACE LOG CMD...: starts a daemon that outlives this script.
spawn() {
	local ns=$1 log=$2
	shift 2
	setsid nsenter --net="/run/netns/$ns" -- "$@" >>"$log" 2>&1 </dev/null &
}

# find_process NAMESPACE COMM: pids are never stored, so that a reused one is never hit; a process
# of ours is one that lives in our network namespace.
find_process() {
	local pid comm
	for pid in $(ip netns pids "$1" 2>/dev/null); do
		read -r comm 2>/dev/null <"/proc/$pid/comm" || continue
		[[ $comm != "$2" ]] || say "$pid"
	done
}

kubectl() { in_namespace "$hub" env KUBECONFIG="$run/kubeconfig/admin" "$run/bin/kubectl" "$@"; }
