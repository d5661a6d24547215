// The stable words for observations, also in JSON.
#include "core/model/observation.hpp"

namespace catflap {

bool Reach::retold() const {
  return vantage == "apiserver" || vantage.starts_with("pod/") || vantage == "agent" ||
         vantage.starts_with("agent/") || inside_the_node();
}

bool Reach::inside_the_node() const {
  return vantage == "portforward";
}

const char* to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::open:
      return "open";
    case Outcome::refused:
      return "refused";
    case Outcome::rejected:
      return "rejected";
    case Outcome::reset:
      return "reset";
    case Outcome::timeout:
      return "timeout";
    case Outcome::unreachable:
      return "unreachable";
    case Outcome::error:
      return "error";
  }
  return "";
}

const char* to_string(Identity identity) {
  switch (identity) {
    case Identity::none:
      return "none";
    case Identity::felix:
      return "felix";
    case Identity::typha:
      return "typha";
    case Identity::other:
      return "other";
    case Identity::unidentified:
      return "unidentified";
  }
  return "";
}

const char* to_string(Product product) {
  switch (product) {
    case Product::unknown:
      return "unknown";
    case Product::felix:
      return "felix";
    case Product::typha:
      return "typha";
    case Product::kube_controllers:
      return "kube-controllers";
    case Product::pushgateway:
      return "pushgateway";
    case Product::node_exporter:
      return "node-exporter";
    case Product::prometheus:
      return "prometheus";
    case Product::http:
      return "http";
    case Product::tls:
      return "tls";
  }
  return "";
}

const char* to_string(ClientCertAsk ask) {
  switch (ask) {
    case ClientCertAsk::none:
      return "none";
    case ClientCertAsk::requested:
      return "requested";
    case ClientCertAsk::demanded:
      return "demanded";
  }
  return "";
}

const char* to_string(ThrowawayResult result) {
  switch (result) {
    case ThrowawayResult::not_tried:
      return "not-tried";
    case ThrowawayResult::accepted:
      return "accepted";
    case ThrowawayResult::refused:
      return "refused";
  }
  return "";
}

}  // namespace catflap
