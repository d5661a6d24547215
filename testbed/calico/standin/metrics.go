package main

import (
	"net"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Series of Felix that a node with a handful of pods has. Their values say nothing here.
var gauges = []string{
	"felix_active_local_endpoints", "felix_active_local_policies", "felix_active_local_selectors", "felix_active_local_tags",
	"felix_bpf_conntrack_cleaned", "felix_bpf_dataplane_endpoints", "felix_bpf_dirty_dataplane_endpoints",
	"felix_bpf_happy_dataplane_endpoints", "felix_cluster_num_host_endpoints", "felix_cluster_num_hosts",
	"felix_cluster_num_policies", "felix_cluster_num_profiles", "felix_cluster_num_tiers", "felix_cluster_num_workload_endpoints",
	"felix_ipset_lines_executed", "felix_ipsets_calico", "felix_ipsets_total", "felix_iptables_chains", "felix_iptables_rules",
	"felix_label_index_num_active_selectors", "felix_label_index_num_endpoints", "felix_reporting_num_hosts",
	"felix_resync_state", "felix_route_table_num_routes", "felix_route_table_num_ifaces", "felix_route_rules_num",
	"felix_vxlan_num_vteps", "felix_wireguard_meta", "felix_nft_chains", "felix_nft_rules",
}

var counters = []string{
	"felix_calc_graph_updates_processed", "felix_exec_time_total", "felix_int_dataplane_failures",
	"felix_int_dataplane_messages", "felix_ipset_calls", "felix_ipset_errors", "felix_iptables_lines_executed",
	"felix_iptables_lock_retries", "felix_iptables_restore_calls", "felix_iptables_restore_errors",
	"felix_iptables_save_calls", "felix_iptables_save_errors", "felix_log_errors", "felix_logs_dropped", "felix_resyncs_started",
	"felix_route_table_list_failures", "felix_route_table_per_iface_sync_errors", "felix_route_rules_resyncs",
	"felix_label_index_selector_evals", "felix_label_index_strategy_evals", "felix_wireguard_long_lived_peers",
	"felix_vxlan_resyncs", "felix_conntrack_cleanups", "felix_endpoint_updates", "felix_policy_updates", "felix_profile_updates",
	"felix_workload_updates", "felix_host_updates", "felix_reporter_status_updates",
}

// shared: the same for every node, and costly enough to be there once.
var shared = func() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector())
	for i, name := range gauges {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: "A number of things that Felix keeps."})
		g.Set(float64(i % 7))
		if name == "felix_resync_state" {
			g.Set(3)
		}
		registry.MustRegister(g)
	}
	for i, name := range counters {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: "How often Felix did it."})
		c.Add(float64(i % 5))
		registry.MustRegister(c)
	}
	return registry
}()

// felixServer: a server of Felix's metrics that says of which host they are.
func felixServer(host string) func(net.Listener) *http.Server {
	own := prometheus.NewRegistry()
	label := prometheus.NewGauge(prometheus.GaugeOpts{Name: "felix_host",
		Help:        "The host of this Felix, as a label.",
		ConstLabels: prometheus.Labels{"host": host}})
	label.Set(1)
	own.MustRegister(label)
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(prometheus.Gatherers{shared, own}, promhttp.HandlerOpts{}))
	return func(socket net.Listener) *http.Server {
		return startServer(socket, mux, func(s *http.Server) error { return s.Serve(socket) })
	}
}
