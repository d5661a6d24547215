# Makes the container images out of local files only (no registry, no Docker), and unpacks them once
# into a containerd root that every node gets a copy of.

readonly pause_image=registry.k8s.io/pause:3.6
readonly debug_image=catflap.invalid/debug:1  # for pods that tests start: a shell and curl

set_image_folder() {
	local inputs
	inputs=$(
		cat "$testbed/lib/images.sh"
		printf '%s\n' "$k8s_dir" "$calico_dir" "$calico_tls_dir"
		dpkg-query -W "${packages[@]}"
	)
	images_dir=$cache/images-$calico_version-$(sha256sum <<<"$inputs" | cut -c1-16)
}

# manifest_image MANIFEST node|cni: as Calico's manifest calls it; the registry is not the same in all versions.
manifest_image() { awk -v name="/$2:" '$1 == "image:" && index($2, name) { print $2; exit }' "$1"; }

build_images() {
	local work=$out/work source node_image cni_image
	source=$(calico_source)
	node_image=$(manifest_image "$source/manifests/calico-vxlan.yaml" node)
	cni_image=$(manifest_image "$source/manifests/calico-vxlan.yaml" cni)
	mkdir -p "$work"
	pause_files "$work/pause"
	cni_files "$work/cni"
	node_files "$work/node"
	debug_files "$work/debug"
	install -D "$calico_dir/calico-node" "$work/felix/bin/calico-node"
	install -D "$calico_tls_dir/calico-node" "$work/felix-tls/bin/calico-node"
	local layer
	for layer in pause cni node debug felix felix-tls; do
		tar --numeric-owner --owner=0 --group=0 --mtime=@0 --sort=name -C "$work/$layer" -cf "$work/$layer.tar" .
		rm -rf "${work:?}/$layer"
	done

	local path=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	# Without cgo, Felix's BPF clean-up at start is a stub that panics; the switch to skip it is
	# Calico's own, for its tests. The name's case matters.
	local node_config='{"Env":["'$path'","SVDIR=/etc/service/enabled","FELIX_DebugSkipCTLBCleanup=true"],"Cmd":["start_runit"]}'
	pack "$pause_image" '{"Entrypoint":["/pause"],"User":"65535:65535"}' pause
	pack "$cni_image" '{"Env":["'$path'"],"Cmd":["/opt/cni/bin/install"]}' cni
	pack "$node_image" "$node_config" node felix
	pack "$node_image-tls" "$node_config" node felix-tls
	pack "$debug_image" '{"Env":["'$path'"],"Cmd":["sleep","infinity"]}' debug
	unpack
	prune
	# For the manifest and the CRDs, so that `up` does not need Go or its module cache.
	cp "$source/manifests/calico-vxlan.yaml" "$out/"
	mkdir "$out/crd"
	cp "$source"/libcalico-go/config/crd/*.yaml "$out/crd/"
	rm -rf "$work"
}

# prune: older image folders of this Calico, which are big and take seconds to make again.
prune() {
	local folder
	for folder in "$cache/images-$calico_version"-*; do
		[[ $folder == "$out" ]] || rm -rf "$folder"
	done
}

pause_files() {
	local source
	source=$(cd "$testbed/k8s" && go list -m -f '{{.Dir}}' k8s.io/kubernetes)/build/pause/linux/pause.c
	mkdir -p "$1"
	gcc -Os -static -s -DVERSION=3.6 -o "$1/pause" "$source"
}

cni_files() {
	local plugin
	install -D -t "$1/opt/cni/bin" "$calico_dir/calico" "$calico_dir/install"
	ln "$1/opt/cni/bin/calico" "$1/opt/cni/bin/calico-ipam"
	for plugin in loopback host-local portmap bandwidth tuning; do
		put "$1" /opt/cni/bin "/usr/lib/cni/$plugin"
	done
	mkdir "$1/tmp"
}

# What calico/node holds besides its own binary: its start scripts (from the module), runit, the
# packet filter's tools, and of a shell's companions only those that the scripts call, plus cat,
# grep, ls and readlink. The real image has no ss, curl or openssl either.
node_files() {
	local variant runit=$work/runit v x
	mkdir -p "$1"/{bin,dev,etc,proc,root,run,sbin,sys,tmp,usr/sbin,var/lib/calico,var/log}
	ln -s ../run "$1/var/run"
	cp -r "$source/node/filesystem/." "$1/"
	chmod -R u+w "$1"
	# A module's archive does not keep the executable bit.
	find "$1"/sbin "$1"/etc/service "$1"/etc/rc.local -type f -exec chmod 755 {} +
	printf 'root:x:0:0::/root:/bin/sh\n' >"$1/etc/passwd"

	put "$1" /bin /bin/{bash,cat,cp,grep,ls,mkdir,readlink,rm,touch,ip}
	put "$1" /usr/bin /usr/bin/{env,tee}
	ln -s bash "$1/bin/sh"
	install "$(readlink -f /usr/bin/which)" "$1/usr/bin/which"

	# Only unpacked, not installed: a package that can replace init has no business on the machine.
	mkdir "$runit"
	(cd "$runit" && download_package runit && dpkg-deb -x runit_*.deb .)
	put "$1" /usr/bin "$runit"/usr/bin/{chpst,runsv,runsvdir,sv,svlogd}
	rm -rf "$runit"

	put "$1" /usr/sbin /usr/sbin/{conntrack,ipset,nft}
	put "$1" /usr/sbin /usr/sbin/xtables-{legacy,nft}-multi
	for variant in legacy nft; do
		for v in '' 6; do
			for x in '' -save -restore; do
				ln -s xtables-$variant-multi "$1/usr/sbin/ip${v}tables-$variant$x"
			done
		done
	done
	for v in '' 6; do
		for x in '' -save -restore; do
			ln -s ip${v}tables-legacy$x "$1/usr/sbin/ip${v}tables$x"
		done
	done
	x=$(dirname "$(find /usr/lib -path '*/xtables/libxt_standard.so')")
	mkdir -p "$1$x"
	cp -r "$x/." "$1$x/"
}

# download_package NAME: into the current folder; a machine that is new has no package lists yet.
download_package() {
	local apt=(apt-get -qq -o APT::Sandbox::User=root)
	"${apt[@]}" download "$1" 2>/dev/null || { "${apt[@]}" update && "${apt[@]}" download "$1"; }
}

debug_files() {
	mkdir -p "$1"/{etc,tmp}
	put "$1" /bin /bin/{bash,cat,grep,sleep}
	put "$1" /usr/bin /usr/bin/{curl,cut,head}
	ln -s bash "$1/bin/sh"
}

# put ROOT FOLDER FILE...: copies files and the shared libraries they need.
put() {
	local root=$1 folder=$2 file library
	shift 2
	mkdir -p "$root$folder"
	for file in "$@"; do
		cp -L "$file" "$root$folder/"
		{ ldd "$file" 2>/dev/null || true; } | grep -o '/[^ ]*\.so[^ ]*' | while read -r library; do
			[[ -e $root$library ]] || install -D "$library" "$root$library"
		done || true
	done
}

# pack IMAGE CONFIG LAYER...: an archive as `docker save` writes it, from layers that are tars.
pack() {
	local image=$1 config=$2 dir=$work/pack layer ids=() files=()
	shift 2
	rm -rf "$dir"
	mkdir "$dir"
	for layer in "$@"; do
		ln "$work/$layer.tar" "$dir/$layer.tar"
		ids+=("\"sha256:$(sha256sum <"$work/$layer.tar" | cut -d' ' -f1)\"")
		files+=("\"$layer.tar\"")
	done
	local IFS=,
	printf '{"architecture":"%s","os":"linux","config":%s,"rootfs":{"type":"layers","diff_ids":[%s]}}' \
		"$(go env GOARCH)" "$config" "${ids[*]}" >"$dir/config.json"
	printf '[{"Config":"config.json","RepoTags":["%s"],"Layers":[%s]}]' \
		"$image" "${files[*]}" >"$dir/manifest.json"
	IFS=$' \n'
	tar -C "$dir" -cf "$work/${image//[^a-z0-9]/-}.image" manifest.json config.json "${@/%/.tar}"
}

# unpack: a containerd without network imports the images into $out/containerd.
unpack() {
	local dir=$work/containerd pid image
	mkdir -p "$dir"
	cat >"$dir/config.toml" <<-END
		version = 2
		root = "$out/containerd"
		state = "$dir/state"
		oom_score = 0
		disabled_plugins = ["io.containerd.grpc.v1.cri"]
		[grpc]
		address = "$dir/socket"
	END
	setpriv --pdeathsig KILL unshare --net containerd -c "$dir/config.toml" >"$dir/log" 2>&1 &
	pid=$!
	within 20 ctr -a "$dir/socket" version || die "containerd did not start: $(tail -n 1 "$dir/log")"
	for image in "$work"/*.image; do
		ctr -a "$dir/socket" -n k8s.io image import "$image" >/dev/null
	done
	kill "$pid"
	wait "$pid" || true
	rm -rf "$out"/containerd/{io.containerd.runtime*,tmpmounts}
}
