// metadata.managedFields: who wrote which field last, and when.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "base/clock.hpp"

namespace catflap::sim {

struct Writer {
  std::string manager;      // "kubectl-set"
  std::string api_version;  // of the request
  std::string subresource;  // "status" or empty
  TimePoint now;
};

/// Enters into `next` that `writer` made it out of `old` (empty: created it). What changed is its
/// own from then on and nobody else's. Nothing changed: nothing is entered.
void record_writer(const boost::json::object& old, boost::json::object& next, const Writer& writer);

}  // namespace catflap::sim
