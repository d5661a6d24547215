// One FelixConfiguration object: what it sets, and where in it.
// What a newcomer lacks: an annotation config.projectcalico.org/NAME overrides the spec field of
// that name, and there are two places for annotations (embedded.hpp), so
// spec.prometheusMetricsEnabled: false proves nothing by itself.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "core/resolve/values.hpp"

namespace catflap {

namespace json = boost::json;

inline constexpr std::string_view kConfigAnnotationPrefix = "config.projectcalico.org/";

/// Where in the object a value stands.
enum class Place { spec, annotation, embedded };

/// One value of one parameter, as Felix receives it. More than one for a parameter: Felix takes any
/// of them.
struct RawSetting {
  Place place = Place::spec;
  std::string name;   // the parameter as spelt there
  std::string raw;    // may be empty: Felix then asks the next layer, it does not look at the spec
  std::string field;  // spec.prometheusMetricsEnabled,
                      // metadata.annotations[config.projectcalico.org/…], … (embedded)
};

/// A FelixConfiguration reduced to what the decision needs.
struct FelixConfiguration {
  std::string name;
  std::string broken;  // why Felix's client cannot use the object; then nothing below counts
  std::vector<RawSetting> settings;
  std::optional<std::string> node_selector;
  std::optional<TimePoint> created;  // as Felix sees it: the embedded time, else the object's
};

/// Reduces an object of either API group. What is overridden inside the object is left out.
/// Source: libcalico-go/lib/backend/syncersv1/updateprocessors/configurationprocessor.go.
[[nodiscard]] FelixConfiguration read_felix_configuration(const json::object& object);

/// A place in an object that carries PrometheusMetricsEnabled, whether or not another place
/// overrides it.
struct FelixConfigurationSetting {
  Place place = Place::spec;
  std::string key;    // spec field or annotation, exactly as spelt
  std::string field;  // for people: spec.prometheusMetricsEnabled …
  std::string raw;
  bool value = false;    // as Felix would read it; an invalid one counts as false
  bool invalid = false;  // raw does not parse
  bool empty = false;    // raw is "": sets nothing, but hides the spec field
};

/// Every place in an object that carries PrometheusMetricsEnabled (spec, annotations, embedded
/// annotations, any case of the annotation's name), in this order. An object whose embedded
/// metadata is broken shows none of its embedded ones.
[[nodiscard]] std::vector<FelixConfigurationSetting> enabled_settings(const json::object& object);

}  // namespace catflap
