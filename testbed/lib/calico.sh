# Calico as its users install it, and the way back to that state for tests that changed it.

readonly daemonset=daemonset/calico-node
readonly metrics_variable=FELIX_PROMETHEUSMETRICSENABLED

# Calico's own manifest. Left out: the CRDs, as the manifest shows them in an older form than the
# release's own files, which are applied instead; and the one Deployment, whose image is not built.
apply_calico() {
	local image_folder
	image_folder=$(image_folder)
	kubectl create -f "$image_folder/crd" >/dev/null
	{
		endpoint_config
		without_kinds 'CustomResourceDefinition|Deployment|PodDisruptionBudget' \
			<"$image_folder/calico-vxlan.yaml"
	} | kubectl apply -f - >/dev/null
	make_metrics_secret
	kubectl -n kube-system get $daemonset -o yaml | anonymous_object >"$run/base/daemonset.yaml"
}

# image_folder: of the Calico that runs; it has its manifest and CRDs, too.
image_folder() { readlink -f "$run/images/.."; }

# Calico reads from here where the API server is when there is no kube-proxy.
endpoint_config() {
	cat <<-END
		apiVersion: v1
		kind: ConfigMap
		metadata: {name: kubernetes-services-endpoint, namespace: kube-system}
		data: {KUBERNETES_SERVICE_HOST: "$hub_ip4", KUBERNETES_SERVICE_PORT: "$api_port"}
		---
	END
}

# without_kinds REGEX: drops the documents of these kinds from a YAML stream.
without_kinds() {
	awk -v kinds="(^|\n)kind: ($1)(\n|$)" 'BEGIN { RS = "\n---\n" } $0 !~ kinds { print $0 "\n---" }'
}

# anonymous_object: without what would tie a saved object to the moment it was read.
anonymous_object() {
	sed -E '/^  (resourceVersion|uid|generation|creationTimestamp):/d; /^status:/,$d'
}

# A self-signed certificate, as distributions ship it; the authority that client certificates are
# checked against is the cluster's, so that `user` makes valid ones.
make_metrics_secret() {
	openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=calico-felix-metrics \
		-addext subjectAltName=DNS:localhost \
		-keyout "$pki/metrics.key" -out "$pki/metrics.crt" 2>/dev/null
	kubectl -n kube-system create secret generic felix-metrics-tls \
		--from-file=tls.crt="$pki/metrics.crt" --from-file=tls.key="$pki/metrics.key" \
		--from-file=ca.crt="$pki/ca.crt" >/dev/null
}

tls_patch() {
	local folder=/etc/felix-metrics-tls
	cat <<-END
		spec:
		  template:
		    spec:
		      volumes:
		        - {name: metrics-tls, secret: {secretName: felix-metrics-tls}}
		      containers:
		        - name: calico-node
		          image: $(manifest_image "$(image_folder)/calico-vxlan.yaml" node)-tls
		          volumeMounts:
		            - {name: metrics-tls, mountPath: $folder, readOnly: true}
		          env:
		            - {name: FELIX_PROMETHEUSMETRICSCERTFILE, value: $folder/tls.crt}
		            - {name: FELIX_PROMETHEUSMETRICSKEYFILE, value: $folder/tls.key}
		            - {name: FELIX_PROMETHEUSMETRICSCAFILE, value: $folder/ca.crt}
		            - {name: FELIX_PROMETHEUSMETRICSCLIENTAUTH, value: NoClientCert}
	END
}

# What `up` does to the DaemonSet after applying it. wanted_daemonset does the same to the saved one.
expose_metrics() {
	[[ $1 != tls ]] || kubectl -n kube-system patch $daemonset -p "$(tls_patch)" >/dev/null
	kubectl -n kube-system set env $daemonset -c calico-node $metrics_variable=true >/dev/null
}

# wanted_daemonset plain|tls true|false|absent
wanted_daemonset() {
	local object
	object=$(<"$run/base/daemonset.yaml")
	if [[ $1 == tls ]]; then
		object=$(kubectl patch --local -f - -p "$(tls_patch)" -o yaml <<<"$object")
	fi
	if [[ $2 != absent ]]; then
		object=$(kubectl set env --local -f - -c calico-node "$metrics_variable=$2" -o yaml <<<"$object")
	fi
	say "$object"
}

# Objects that Calico itself makes when its first node starts.
save_base() {
	kubectl get felixconfigurations.crd.projectcalico.org default -o yaml | anonymous_object \
		>"$run/base/felixconfiguration.yaml"
}

# restore_base plain|tls true|false|absent
restore_base() {
	local name extra crd=crd.projectcalico.org
	for name in $(node_names); do
		signal_kubelet "$name" CONT
	done
	kubectl delete --all --all-namespaces networkpolicies.$crd >/dev/null
	kubectl delete --all "globalnetworkpolicies.$crd,hostendpoints.$crd" >/dev/null
	mapfile -t extra < <(
		kubectl get "felixconfigurations.$crd" -o name | sed '/\/default$/d'
		kubectl -n kube-system get configmap -o name | sed -n '/\/catflap-journal/p'
	)
	((${#extra[@]} == 0)) || kubectl -n kube-system delete "${extra[@]}" >/dev/null
	kubectl replace -f "$run/base/felixconfiguration.yaml" >/dev/null 2>&1 ||
		kubectl create -f "$run/base/felixconfiguration.yaml" >/dev/null
	kubectl patch "clusterinformations.$crd" default --type merge -p '{"spec":{"datastoreReady":true}}' >/dev/null

	wanted_daemonset "$@" | kubectl replace -f - >/dev/null
	within 30 controller_has_seen || die "the DaemonSet controller does not look at the DaemonSet"
	# All at once, not node by node: nobody needs this cluster's network in the meantime. Pods that
	# have the template already stay.
	kubectl -n kube-system delete pods --wait=false \
		-l "k8s-app=calico-node,controller-revision-hash!=$(newest_revision_hash)" >/dev/null
	kubectl -n kube-system rollout status $daemonset --timeout=180s >/dev/null
}

daemonset_fields() { kubectl -n kube-system get $daemonset -o "jsonpath=$1"; }

controller_has_seen() {
	local seen wanted
	read -r seen wanted < <(daemonset_fields '{.status.observedGeneration} {.metadata.generation}')
	[[ $seen == "$wanted" ]]
}

newest_revision_hash() {
	kubectl -n kube-system get controllerrevisions -l k8s-app=calico-node --sort-by=.revision \
		-o 'jsonpath={.items[-1:].metadata.labels.controller-revision-hash}'
}

metrics_url() {
	if [[ $1 == *:* ]]; then say "//[$1]:9091/metrics"; else say "//$1:9091/metrics"; fi
}

# metrics_state ADDRESS: open, refused, or what curl says.
metrics_state() {
	local url scheme message
	url=$(metrics_url "$1")
	for scheme in http https; do
		if message=$(in_namespace "$hub" curl -sSfk -m 2 -o /dev/null "$scheme:$url" 2>&1); then
			say "open ($scheme)"
			return
		fi
	done
	case $message in
	*'Could not connect'* | *'Connection refused'* | *"Couldn't connect"*) say refused ;;
	*) say "${message#curl: }" ;;
	esac
}

# metrics_are open|refused: on every address of every node.
metrics_are() {
	local name address
	for name in $(node_names); do
		for address in $(node_addresses "$name"); do
			[[ $(metrics_state "$address") == "$1"* ]] || return 1
		done
	done
}
