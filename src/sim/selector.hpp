// Label and field selectors as a list request carries them; what the API server understands and our
// code asks for.
#pragma once

#include <boost/json.hpp>
#include <string>

namespace catflap::sim {

/// "a=b,c!=d,e in (x,y),f notin (z),g,!h". Empty: matches all.
[[nodiscard]] bool labels_match(const boost::json::object& object, const std::string& selector);

/// "metadata.name=x,spec.nodeName!=y". A field that does not exist is "".
[[nodiscard]] bool fields_match(const boost::json::object& object, const std::string& selector);

}  // namespace catflap::sim
