# Takes the cluster down, also one whose `up` was killed half-way: everything is found by its name,
# nothing by what `up` managed to write down.

our_namespaces() {
	ip netns list 2>/dev/null |
		awk -v names="^(${hub}|${node_prefix}[0-9]+)\$" '$1 ~ names { print $1 }'
}

our_cgroups() {
	local root group
	for root in $(cgroup_roots); do
		for group in "$root/$node_prefix"[0-9]*; do
			say "$group"
		done
	done
}

# our_processes: whoever lives in one of our network namespaces or cgroups. Pods with a network
# namespace of their own are in the cgroups; besides, they end with their node's PID namespace.
our_processes() {
	local namespace group
	for namespace in $(our_namespaces); do
		ip netns pids "$namespace"
	done
	for group in $(our_cgroups); do
		find "$group" -name cgroup.procs -exec cat {} + 2>/dev/null || true
	done
}

# A first look that finds nobody is not enough: a process that was being born may have been missed.
kill_processes() {
	local pids quiet=0 deadline=$((SECONDS + 20))
	while ((quiet < 2 && SECONDS < deadline)); do
		mapfile -t pids < <(our_processes | sort -un)
		if ((${#pids[@]} == 0)); then
			((++quiet))
		else
			quiet=0
			kill -KILL "${pids[@]}" 2>/dev/null || true
		fi
		sleep 0.1
	done
}

remove_cgroups() {
	local group
	for group in $(our_cgroups); do
		find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
	done
	[[ -z $(our_cgroups) ]]
}

remove_namespaces() {
	local namespace
	for namespace in $(our_namespaces); do
		ip netns delete "$namespace" || true
	done
	# The first `ip netns add` on a machine makes /run/netns, and makes it a mount of itself.
	if [[ -e $run/made-netns-mount && -z $(ip netns list) ]]; then
		umount /run/netns 2>/dev/null || true
		[[ ! -e $run/made-netns-folder ]] || rmdir /run/netns 2>/dev/null || true
	fi
}

# Never a folder that `up` did not make, and never through a mount. The mark goes last: a `down` that
# is killed here must know the rest again. An empty folder is an `up` that was killed before the mark.
remove_run_folder() {
	if [[ -e $run_mark ]]; then
		[[ -z $(our_mounts) ]] || return 0
		find "${run:?}" -mindepth 1 -maxdepth 1 ! -path "$run_mark" -exec rm -rf {} +
		rm "$run_mark"
	fi
	rmdir "$run" 2>/dev/null || true
}

our_mounts() {
	awk -v run="$(realpath -m "$run")/" -v names="^/run/netns/(${hub}|${node_prefix}[0-9]+)\$" \
		'index($2, run) == 1 || $2 ~ names { print $2 }' /proc/mounts
}

# Every link is made inside of the namespaces and goes with them; this is to prove it.
our_links() {
	ip -o link | awk -F': ' -v names="^(${bridge}|${node_prefix}[0-9]+)(@|\$)" '$2 ~ names { print $2 }'
}

# leftovers: one line for each thing of ours that is still there.
leftovers() {
	our_processes | sort -un | sed 's/^/process /'
	our_namespaces | sed 's/^/network namespace /'
	our_cgroups | sed 's/^/cgroup /'
	our_mounts | sed 's/^/mount /'
	our_links | sed 's/^/link /'
	[[ ! -e $run_mark ]] || say "folder $run"
}

tear_down() {
	rm -f "$run/up"
	kill_processes
	within 10 remove_cgroups || true
	remove_namespaces
	remove_run_folder
	local rest
	rest=$(leftovers)
	[[ -z $rest ]] || die "still there after down:"$'\n'"$rest"
}
