# The hub namespace with the nodes' bridge, and in it etcd, the API server, the controller manager
# and the scheduler. No link leads out of it: the cluster cannot be reached from the machine's own
# network, nor reach it.

make_hub() {
	ip netns add "$hub"
	ip -n "$hub" link set lo up
	ip -n "$hub" link add $bridge type bridge
	ip -n "$hub" address add "$hub_ip4/24" dev $bridge
	if has_ipv6; then
		ip -n "$hub" address add "$hub_ip6/64" dev $bridge nodad
	fi
	ip -n "$hub" link set $bridge up
	ip -n "$hub" address add "$service_ip4/32" dev lo
	in_namespace "$hub" sysctl -qw net.ipv4.ip_forward=1
	# There is no kube-proxy. The one service that pods ask for is done here: the hub is the nodes'
	# default gateway.
	in_namespace "$hub" nft -f - <<-END
		table ip kubernetes_service {
			chain from_nodes {
				type nat hook prerouting priority -100;
				ip daddr $service_ip4 tcp dport 443 dnat to $hub_ip4:$api_port
			}
			chain from_here {
				type nat hook output priority -100;
				ip daddr $service_ip4 tcp dport 443 dnat to $hub_ip4:$api_port
			}
		}
	END
}

make_authority() {
	mkdir -p "$pki" "$run/kubeconfig"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
		-keyout "$pki/ca.key" -out "$pki/ca.crt" -subj /CN=catflap-cluster-ca \
		-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
	openssl genrsa -out "$pki/sa.key" 2048 2>/dev/null
	openssl rsa -in "$pki/sa.key" -pubout -out "$pki/sa.pub" 2>/dev/null
	local names=DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc
	make_certificate apiserver /CN=kube-apiserver \
		"IP:127.0.0.1,IP:$hub_ip4,IP:$hub_ip6,IP:$service_ip4,$names"
	make_certificate kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client
	make_user admin /O=system:masters/CN=admin
	make_user controller-manager /CN=system:kube-controller-manager
	make_user scheduler /CN=system:kube-scheduler
}

# make_certificate NAME SUBJECT [ALTERNATIVE_NAMES]
make_certificate() {
	local file=$pki/$1 extensions
	extensions=$(printf '%s\n' basicConstraints=CA:FALSE keyUsage=digitalSignature,keyEncipherment \
		extendedKeyUsage=serverAuth,clientAuth ${3:+"subjectAltName=$3"})
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$2" \
		-keyout "$file.key" -out "$file.csr" 2>/dev/null
	openssl x509 -req -in "$file.csr" -CA "$pki/ca.crt" -CAkey "$pki/ca.key" -days 30 \
		-set_serial "0x$(openssl rand -hex 8)" -extfile <(say "$extensions") -out "$file.crt" 2>/dev/null ||
		die "no certificate for $1 ($2)"
}

# same_user NAME SUBJECT: that user is there, with the same groups.
same_user() {
	[[ $(openssl x509 -in "$pki/$1.crt" -noout -subject -nameopt compat) == "subject=$2" ]]
}

# make_user NAME SUBJECT: a certificate and a kubeconfig that holds all it needs.
make_user() {
	make_certificate "$@"
	cat >"$run/kubeconfig/$1" <<-END
		apiVersion: v1
		kind: Config
		clusters:
		- name: catflap
		  cluster:
		    server: https://$hub_ip4:$api_port
		    certificate-authority-data: $(base64 -w0 "$pki/ca.crt")
		users:
		- name: $1
		  user:
		    client-certificate-data: $(base64 -w0 "$pki/$1.crt")
		    client-key-data: $(base64 -w0 "$pki/$1.key")
		contexts:
		- name: catflap
		  context: {cluster: catflap, user: $1}
		current-context: catflap
	END
	chmod 600 "$run/kubeconfig/$1"
}

start_component() {
	local name=$1
	shift
	spawn "$hub" "$run/log/$name.log" "$run/bin/$name" "$@"
}

scheduler_flags=()

start_etcd() {
	start_component etcd --data-dir "$run/etcd" --unsafe-no-fsync --log-level warn
}

# start_apiserver [ADDRESS]: on every address, if none is given.
start_apiserver() {
	local bind=${1:-0.0.0.0}
	[[ -n ${1:-} ]] || ! has_ipv6 || bind=::
	start_component kube-apiserver --etcd-servers=http://127.0.0.1:2379 \
		--bind-address="$bind" --advertise-address=$hub_ip4 --secure-port=$api_port \
		--tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" \
		--client-ca-file="$pki/ca.crt" --authorization-mode=Node,RBAC \
		--enable-admission-plugins=NodeRestriction --allow-privileged=true --profiling=false \
		--kubelet-client-certificate="$pki/kubelet-client.crt" \
		--kubelet-client-key="$pki/kubelet-client.key" --kubelet-certificate-authority="$pki/ca.crt" \
		--kubelet-preferred-address-types=InternalIP --service-cluster-ip-range=10.96.0.0/16 \
		--service-account-issuer=https://kubernetes.default.svc \
		--service-account-key-file="$pki/sa.pub" --service-account-signing-key-file="$pki/sa.key" \
		--audit-policy-file="$testbed/conf/audit.yaml" --audit-log-path="$run/audit.log"
}

# A node counts as dead after 20 s instead of 50 s, so that tests of dead nodes are short; the
# kubelets renew their leases accordingly (node.sh). start_controllers [FLAG...]: more for the
# controller manager.
start_controllers() {
	local config=$run/kubeconfig/controller-manager
	start_component kube-controller-manager --kubeconfig="$config" \
		--authentication-kubeconfig="$config" --authorization-kubeconfig="$config" \
		--bind-address=127.0.0.1 --leader-elect=false --use-service-account-credentials=true \
		--service-account-private-key-file="$pki/sa.key" --root-ca-file="$pki/ca.crt" \
		--cluster-signing-cert-file="$pki/ca.crt" --cluster-signing-key-file="$pki/ca.key" \
		--node-monitor-grace-period=20s --node-monitor-period=2s "$@"
	config=$run/kubeconfig/scheduler
	start_component kube-scheduler --kubeconfig="$config" --authentication-kubeconfig="$config" \
		--authorization-kubeconfig="$config" --bind-address=127.0.0.1 --leader-elect=false \
		"${scheduler_flags[@]}"
}

api_ready() {
	[[ $(in_namespace "$hub" curl -sS --max-time 2 --cacert "$pki/ca.crt" --cert "$pki/admin.crt" \
		--key "$pki/admin.key" "https://$hub_ip4:$api_port/readyz") == ok ]]
}
