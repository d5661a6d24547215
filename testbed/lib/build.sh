# Builds the cluster's programs from pinned Go modules and keeps them by what they were built from.

readonly default_calico=3.30.1  # calico/go.mod; calico/VERSION.mod is another one
readonly calico=${CATFLAP_CALICO:-$default_calico}
readonly calico_version=v$calico
if [[ $calico == "$default_calico" ]]; then calico_mod=go; else calico_mod=$calico; fi
readonly calico_mod
readonly calico_module=github.com/projectcalico/calico
readonly go_flags=(-trimpath -buildvcs=false -mod=readonly)

check_calico() {
	[[ -e $testbed/calico/$calico_mod.mod ]] || usage_error "CATFLAP_CALICO=$calico: there are only $(calicos)"
}

calicos() {
	local file
	printf '%s (the default)' "$default_calico"
	for file in "$testbed"/calico/[0-9]*.mod; do
		printf ', %s' "$(basename "$file" .mod)"
	done
}

# module_version FOLDER MODULE
module_version() { awk -v m="$2" '$1 == m { print $2; exit }' "$testbed/$1/go.mod"; }

# key FUNCTION FILE...: of the toolchain, the flags, the function that builds, and the files.
key() {
	{
		go env GOVERSION GOOS GOARCH
		declare -p go_flags
		declare -f "$1" calico_stamps
		cat "${@:2}"
	} | sha256sum | cut -c1-16
}

# set_build_folders: names of the cache's folders for the sources as they are now. Everything that
# can change what comes out is in the name, so that a stale folder is not found.
set_build_folders() {
	check_calico
	check_go
	# Settings of the caller's could change the build without changing its key.
	export CGO_ENABLED=0 GOFLAGS="" GOWORK=off GOTOOLCHAIN=local
	local sources=("$testbed"/calico/{$calico_mod.mod,$calico_mod.sum,stub-httpmachinery/go.mod})
	k8s_dir=$cache/k8s-$(key build_k8s "$testbed"/k8s/go.{mod,sum})
	calico_dir=$cache/calico-$calico_version-$(key build_calico "${sources[@]}")
	calico_parts_dir=$cache/calico-parts-$calico_version-$(key build_calico_parts "${sources[@]}")
	sources+=("$testbed/calico-tls/metrics_server.go")
	calico_tls_dir=$cache/calico-tls-$calico_version-$(key build_calico_tls "${sources[@]}")
	kwok_dir=$cache/kwok-$(key build_kwok "$testbed"/kwok/go.{mod,sum})
	local standin
	mapfile -t standin < <(find "$testbed"/calico/{felixdecides,standin} -name '*.go' ! -name '*_test.go' | sort)
	standin_dir=$cache/standin-$(key build_standin "$testbed"/calico/go.{mod,sum} "${standin[@]}")
}

# build_into FOLDER FUNCTION: FUNCTION fills $out; FOLDER appears complete or not at all.
build_into() {
	local folder=$1 out=$1.partial
	[[ ! -d $folder ]] || return 0
	rm -rf "$out"
	mkdir -p "$out"
	"$2"
	mv "$out" "$folder"
	stage "built ${folder##*/} ($(du -sh "$folder" | cut -f1))"
}

build_k8s() {
	local version minor package stamps=()
	version=$(module_version k8s k8s.io/kubernetes)
	minor=${version#v1.}
	for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
		stamps+=(
			-X "$package.gitVersion=$version" -X "$package.gitMajor=1" -X "$package.gitMinor=${minor%%.*}"
			-X "$package.gitCommit=$(printf %040d 0)" -X "$package.gitTreeState=clean"
			-X "$package.buildDate=1970-01-01T00:00:00Z"
		)
	done
	(
		cd "$testbed/k8s"
		go build "${go_flags[@]}" -ldflags "-s -w ${stamps[*]}" -o "$out/" \
			go.etcd.io/etcd/server/v3 \
			k8s.io/kubernetes/cmd/{kube-apiserver,kube-controller-manager,kube-scheduler,kubectl,kubelet}
	)
	mv "$out/server" "$out/etcd" # its package is named server/v3
}

calico_stamps() {
	printf -- '-s -w'
	# Where 3.30 and 3.31 have it; a name that is not there does no harm.
	printf -- " -X %s=$calico_version" main.VERSION \
		"$calico_module"/{node/pkg/lifecycle/startup.VERSION,{node,felix}/buildinfo.GitVersion,pkg/buildinfo.Version}
}

build_calico() (
	cd "$testbed/calico"
	go build "${go_flags[@]}" -modfile=$calico_mod.mod -ldflags "$(calico_stamps)" -o "$out/" \
		"$calico_module"/{node/cmd/calico-node,cni-plugin/cmd/calico,cni-plugin/cmd/install}
)

# Calico's other parts that serve metrics, for tests that ask who answers.
build_calico_parts() (
	cd "$testbed/calico"
	go build "${go_flags[@]}" -modfile=$calico_mod.mod -ldflags "$(calico_stamps)" -o "$out/" \
		"$calico_module"/{typha/cmd/calico-typha,kube-controllers/cmd/kube-controllers}
)

# The same calico-node from a copy of the module with one file replaced. The copy is of hard links:
# only the replaced file and the folders are new. (go build -overlay refuses the module cache.)
build_calico_tls() {
	local original source=$out/source
	original=$(calico_source)
	mkdir "$source"
	cp -al "$original/." "$source/" 2>/dev/null || cp -a "$original/." "$source/"
	find "$source" -type d -exec chmod u+w {} +
	rm "$source/libcalico-go/lib/metricsserver/metrics_server.go"
	cp "$testbed/calico-tls/metrics_server.go" "$source/libcalico-go/lib/metricsserver/"
	cp "$testbed/calico/$calico_mod.mod" "$out/tls.mod"
	cp "$testbed/calico/$calico_mod.sum" "$out/tls.sum"
	go mod edit -replace "$calico_module=$source" "$out/tls.mod"
	(
		cd "$testbed/calico"
		go build "${go_flags[@]}" -modfile="$out/tls.mod" -ldflags "$(calico_stamps)" -o "$out/" \
			"$calico_module/node/cmd/calico-node"
	)
	rm -rf "$source" "$out"/tls.{mod,sum}
}

# calico_source: the module's folder; it also carries the manifest, the CRDs and the image's files.
calico_source() (
	cd "$testbed/calico"
	go mod download -modfile=$calico_mod.mod "$calico_module"
	go list -modfile=$calico_mod.mod -m -f '{{.Dir}}' "$calico_module"
)

build_kwok() (
	cd "$testbed/kwok"
	go build "${go_flags[@]}" -ldflags '-s -w' -o "$out/" sigs.k8s.io/kwok/cmd/kwok
)

# The stand-in for Felix where KWOK plays the kubelets, and the CRDs that both need.
build_standin() {
	local source
	source=$(calico_source)
	(cd "$testbed/calico" && go build "${go_flags[@]}" -ldflags '-s -w' -o "$out/" ./standin)
	mkdir "$out/crd"
	cp "$source"/libcalico-go/config/crd/*.yaml "$out/crd/"
}

# What testbed/control needs.
build_control() {
	set_build_folders
	build_into "$k8s_dir" build_k8s
	build_into "$kwok_dir" build_kwok
	build_into "$standin_dir" build_standin
}

build_parts() {
	set_build_folders
	build_into "$calico_parts_dir" build_calico_parts
}

build_all() {
	set_build_folders
	build_into "$k8s_dir" build_k8s
	build_into "$calico_dir" build_calico
	build_into "$calico_tls_dir" build_calico_tls
	set_image_folder
	build_into "$images_dir" build_images
}
