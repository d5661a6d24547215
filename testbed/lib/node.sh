# A node: a network namespace with one interface on the hub's bridge, and in it a process tree with
# mount, PID, UTS and IPC namespaces of its own that runs containerd and kubelet (node_init).

# prepare_node NUMBER yes|no (an IPv6 address too): files and network, no process yet.
prepare_node() {
	local name=n$1 dual_stack=$2 dir=$run/nodes/n$1 namespace=$node_prefix$1
	local ip4=10.91.0.$((10 + $1)) ip6=fd91::$((10 + $1)) addresses
	mkdir -p "$dir"/{etc,upper,work,root,containerd,kubelet,log}
	addresses=$ip4
	[[ $dual_stack == no ]] || addresses+=" $ip6"
	say "$addresses" >"$dir/addresses"

	ip netns add "$namespace"
	ip -n "$hub" link add "$namespace" type veth peer name eth0 netns "$namespace"
	ip -n "$hub" link set "$namespace" master $bridge up
	ip -n "$namespace" link set lo up
	ip -n "$namespace" link set eth0 up
	ip -n "$namespace" address add "$ip4/24" dev eth0
	ip -n "$namespace" route add default via $hub_ip4
	if [[ $dual_stack == yes ]]; then
		ip -n "$namespace" address add "$ip6/64" dev eth0 nodad
		ip -n "$namespace" -6 route add default via $hub_ip6
	fi
	in_namespace "$namespace" sysctl -qw net.ipv4.ip_forward=1

	make_user "node-$name" "/O=system:nodes/CN=system:node:$name" "DNS:$name,IP:${addresses// /,IP:}"
	install -m 600 "$run/kubeconfig/node-$name" "$dir/etc/kubeconfig"
	cp "$pki/ca.crt" "$dir/etc/ca.crt"
	cp "$pki/node-$name.crt" "$dir/etc/kubelet.crt"
	cp "$pki/node-$name.key" "$dir/etc/kubelet.key"
	node_config "$name" >"$dir/etc/kubelet.yaml"
	cp "$testbed/conf/containerd.toml" "$dir/etc/"
	copy_images "$dir/containerd"
	make_cgroups "$namespace"
}

# Blobs and unpacked layers never change, so hard links do where the cache is on the same file
# system. containerd's databases do change.
copy_images() {
	local file
	cp -al "$run/images/." "$1/" 2>/dev/null || cp -a "$run/images/." "$1/"
	find "$run/images/" -name '*.db' -printf '%P\n' | while read -r file; do
		cp --remove-destination "$run/images/$file" "$1/$file"
	done
}

# Root does not always have CAP_SYS_RESOURCE (in a container, say): then nothing may lower its OOM
# score or raise the hard limit of open files, hence oomScoreAdj and maxOpenFiles here and the
# scores in containerd.toml. kubelet calls cgroup v1 deprecated and from 1.35 on refuses it, unless
# failCgroupV1 is false.
node_config() {
	local files
	files=$(ulimit -Hn)
	[[ $files != unlimited ]] || files=1000000
	cat <<-END
		apiVersion: kubelet.config.k8s.io/v1beta1
		kind: KubeletConfiguration
		authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: /run/catflap/etc/ca.crt}}
		authorization: {mode: Webhook}
		tlsCertFile: /run/catflap/etc/kubelet.crt
		tlsPrivateKeyFile: /run/catflap/etc/kubelet.key
		containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
		resolvConf: /etc/resolv.conf
		clusterDomain: cluster.local
		cgroupDriver: cgroupfs
		cgroupRoot: /$node_prefix${1#n}
		enforceNodeAllocatable: []
		failCgroupV1: false
		failSwapOn: false
		oomScoreAdj: 0
		maxOpenFiles: $files
		nodeLeaseDurationSeconds: 20
		nodeStatusUpdateFrequency: 5s
		imageGCHighThresholdPercent: 100
		evictionHard: {memory.available: 50Mi}
	END
}

# make_cgroups NAME: a cgroup in every hierarchy. kubelet puts pods below it; the node's own
# processes go to its child `system`, as v2 allows no processes beside child groups.
make_cgroups() {
	local root
	for root in $(cgroup_roots); do
		mkdir -p "$root/$1"
		if [[ -e $root/$1/cpuset.cpus && -e $root/$1/cgroup.clone_children ]]; then
			cat "$root/cpuset.cpus" >"$root/$1/cpuset.cpus"
			cat "$root/cpuset.mems" >"$root/$1/cpuset.mems"
			say 1 >"$root/$1/cgroup.clone_children"
		elif [[ -e $root/cgroup.controllers ]]; then
			enable_controllers "$root"
			enable_controllers "$root/$1"
		fi
		mkdir -p "$root/$1/system"
	done
}

enable_controllers() {
	local controller
	for controller in $(cat "$1/cgroup.controllers"); do
		say "+$controller" 2>/dev/null >"$1/cgroup.subtree_control" || true
	done
}

# start_node NAME
start_node() {
	local namespace=$node_prefix${1#n} dir=$run/nodes/$1
	spawn "$namespace" "$dir/log/init.log" "$testbed/lib/node_init" "$1" "$dir" "$run/bin" "$namespace"
}

node_namespace() {
	[[ -d $run/nodes/$1 ]] || die "no node $1 (there are: $(node_names | tr '\n' ' '))"
	say "$node_prefix${1#n}"
}

# node_exec NAME CMD...: inside all of the node's namespaces, as a login on the node would be.
node_exec() {
	local namespace pid
	namespace=$(node_namespace "$1")
	pid=$(find_process "$namespace" containerd | head -n 1)
	[[ -n $pid ]] || die "node $1 is not running"
	shift
	exec nsenter --target "$pid" --net --mount --pid --uts --ipc --root --wd -- "$@"
}

# signal_kubelet NAME SIGNAL
signal_kubelet() {
	local pids
	pids=$(find_process "$(node_namespace "$1")" kubelet)
	[[ -n $pids ]] || die "node $1 has no kubelet"
	kill -s "$2" $pids
}
