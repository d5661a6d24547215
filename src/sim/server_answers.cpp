#include "sim/server_answers.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace catflap::sim {
namespace {

/// Where felix_host stood in the answer of a real Felix v3.30.1.
constexpr std::size_t kFelixHostAt = 5512;

constexpr const char* kMetricsType = "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n";

std::string metric(std::string_view type, std::string_view name, double value) {
  return fmt::format("# TYPE {0} {1}\n{0} {2}\n", name, type, value);
}

/// What every Go program with the Prometheus client serves.
std::string go_metrics() {
  std::string text;
  for (const auto* quantile : {"0", "0.25", "0.5", "0.75", "1"})
    text += fmt::format("go_gc_duration_seconds{{quantile=\"{}\"}} 4.2e-05\n", quantile);
  for (const auto* name : {"go_goroutines", "go_memstats_alloc_bytes",
                           "go_memstats_heap_inuse_bytes", "go_memstats_heap_objects",
                           "go_memstats_next_gc_bytes", "go_memstats_sys_bytes", "go_threads"})
    text += metric("gauge", name, 187);
  for (const auto* name : {"process_cpu_seconds_total", "process_max_fds", "process_open_fds",
                           "process_resident_memory_bytes", "process_start_time_seconds",
                           "process_virtual_memory_bytes"})
    text += metric("gauge", name, 4096);
  return text;
}

std::string quantiles(std::string_view name, int count) {
  std::string text = fmt::format("# TYPE {} summary\n", name);
  for (int i = 0; i < count; ++i)
    text += fmt::format("{}{{quantile=\"0.{}\"}} {}\n", name, i + 1, 120 + 7 * i);
  return text + fmt::format("{0}_sum 88211\n{0}_count 412\n", name);
}

/// What comes before felix_host by the alphabet, and a comment that fills up.
std::string before_felix_host() {
  auto text = go_metrics();
  for (const auto* name :
       {"felix_active_local_endpoints", "felix_active_local_policies",
        "felix_active_local_selectors", "felix_active_local_tags", "felix_bpf_dataplane_endpoints",
        "felix_bpf_dirty_dataplane_endpoints", "felix_cluster_num_host_endpoints",
        "felix_cluster_num_hosts", "felix_cluster_num_policies", "felix_cluster_num_profiles",
        "felix_cluster_num_tiers", "felix_cluster_num_workload_endpoints"})
    text += metric("gauge", name, 12);
  text += quantiles("felix_calc_graph_update_time_seconds", 9);
  for (int second = 1; text.size() < kFelixHostAt - 250; ++second)
    text += fmt::format("felix_exec_time_micros{{fork=\"{}\"}} {}\n", second, 120 + 7 * second);
  const std::string type = "# TYPE felix_host gauge\n";
  std::string help = "# HELP felix_host Configured Felix hostname, as a label";
  help.append(kFelixHostAt - text.size() - help.size() - 1 - type.size(), '.');
  return text + help + "\n" + type;
}

std::string after_felix_host() {
  std::string text;
  for (const auto* name :
       {"felix_int_dataplane_addr_msg_batch_size", "felix_int_dataplane_apply_time_seconds",
        "felix_int_dataplane_iface_msg_batch_size", "felix_int_dataplane_msg_batch_size",
        "felix_ipset_lock_acquire_secs", "felix_iptables_lock_acquire_secs",
        "felix_route_table_per_iface_sync_seconds"})
    text += quantiles(name, 9);
  for (const auto* name : {"felix_int_dataplane_failures",
                           "felix_int_dataplane_messages",
                           "felix_ipset_calls",
                           "felix_ipset_errors",
                           "felix_ipsets_calico",
                           "felix_ipsets_total",
                           "felix_iptables_chains",
                           "felix_iptables_lines_executed",
                           "felix_iptables_restore_calls",
                           "felix_iptables_restore_errors",
                           "felix_iptables_rules",
                           "felix_iptables_save_calls",
                           "felix_iptables_save_errors",
                           "felix_log_errors",
                           "felix_logs_dropped",
                           "felix_reporter_log_errors",
                           "felix_resync_state",
                           "felix_resyncs_started",
                           "felix_route_table_list_seconds",
                           "felix_wireguard_public_key_count"})
    text += metric("counter", name, 3);
  for (int i = 0; i < 60; ++i)
    text += fmt::format("felix_exec_time_micros_bucket{{le=\"{}\"}} {}\n", 100 * (i + 1), 40 + i);
  return text;
}

std::string typha_metrics() {
  auto text = go_metrics();
  for (const auto* name :
       {"typha_breadcrumb_seq_number", "typha_breadcrumb_size_count", "typha_cache_size",
        "typha_connections_accepted", "typha_connections_active", "typha_connections_dropped",
        "typha_kvs_per_msg_sum", "typha_log_errors", "typha_ping_latency_count",
        "typha_snapshots_generated"})
    text += metric("gauge", name, 3);
  return text;
}

std::string pushgateway_metrics() {
  return go_metrics() +
         "# TYPE pushgateway_build_info gauge\n"
         "pushgateway_build_info{branch=\"HEAD\",goversion=\"go1.22.4\",version=\"1.9.0\"} 1\n" +
         metric("counter", "pushgateway_http_requests_total", 17) +
         metric("gauge", "push_time_seconds", 1.7e9);
}

std::string csi_metrics() {
  return go_metrics() +
         "# TYPE csi_sidecar_operations_seconds histogram\n"
         "csi_sidecar_operations_seconds_count{driver_name=\"rbd.csi.ceph.com\","
         "method_name=\"/csi.v1.Identity/Probe\",grpc_status_code=\"OK\"} 96\n" +
         metric("gauge", "csi_liveness", 1);
}

}  // namespace

std::string felix_metrics(std::string_view node) {
  return before_felix_host() + fmt::format("felix_host{{host=\"{}\"}} 1\n", node) +
         after_felix_host();
}

HttpRequest parse_http_request(std::string_view head) {
  HttpRequest request;
  const auto line = head.substr(0, head.find("\r\n"));
  const auto blank = line.find(' ');
  request.method = line.substr(0, blank);
  if (blank != std::string_view::npos) {
    const auto rest = line.substr(blank + 1);
    request.path = rest.substr(0, rest.find(' '));
  }
  request.has_bearer_token = to_lower(head).find("\r\nauthorization: bearer ") != std::string::npos;
  return request;
}

std::string http_answer(std::string_view status, std::string_view body, std::string_view headers) {
  return fmt::format("HTTP/1.1 {}\r\n{}Content-Length: {}\r\nConnection: close\r\n\r\n{}", status,
                     headers, body.size(), body);
}

std::string answer_of(std::string_view kind, std::string_view node, const HttpRequest& request) {
  if (kind == "redirect-loop") return http_answer("302 Found", "", "Location: /metrics\r\n");
  if (kind == "kubelet") return http_answer("401 Unauthorized", "Unauthorized");
  // Whatever token a stranger has, it is not one that may read.
  if (kind == "felix-token")
    return http_answer("401 Unauthorized", "Unauthorized\n",
                       "Content-Type: text/plain; charset=utf-8\r\n"
                       "Www-Authenticate: Bearer\r\n");
  if (kind == "plain-404" || request.path != "/metrics")
    return http_answer("404 Not Found", "404 page not found\n");
  if (kind == "typha") return http_answer("200 OK", typha_metrics(), kMetricsType);
  if (kind == "pushgateway") return http_answer("200 OK", pushgateway_metrics(), kMetricsType);
  if (kind == "csi") return http_answer("200 OK", csi_metrics(), kMetricsType);
  return http_answer("200 OK", felix_metrics(node), kMetricsType);
}

bool speaks_tls(std::string_view kind) {
  return kind.starts_with("felix-") || kind == "kubelet";
}

std::string_view go_answer_to_plain_http() {
  return "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
}

std::string_view go_answer_to_tls() {
  return "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
         "Connection: close\r\n\r\n400 Bad Request";
}

}  // namespace catflap::sim
