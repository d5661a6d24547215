// Which container runs Felix, told by name, image or command. Names of DaemonSets tell nothing:
// canal, rke2-canal and calico-node-windows all run it. A false match costs a row that says
// "unknown"; a miss would cost a hidden open port.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace catflap::look {

namespace json = boost::json;

/// The name of the container of a pod spec that runs Felix; init containers never do. The surest
/// match wins: the name calico-node, the name felix (Windows), Felix's own command line, then an
/// image of calico/node's family.
[[nodiscard]] std::optional<std::string> felix_container(const json::object& pod_spec);

/// "registry:5000/rancher/mirrored-calico-node:v3.30.1@sha256:…" -> true.
[[nodiscard]] bool is_node_image(std::string_view image);

/// The tag of an image reference, "" if there is none.
[[nodiscard]] std::string image_tag(std::string_view image);

/// A LabelSelector as the query parameter labelSelector; "" if it selects everything or is not
/// understood.
[[nodiscard]] std::string selector_query(const json::object& label_selector);

}  // namespace catflap::look
