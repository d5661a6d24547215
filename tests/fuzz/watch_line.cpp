// One line of a watch, as an API server (or something that poses as one) sends it.
#include "kube/watch.hpp"
#include "planted.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using Type = catflap::kube::WatchLine::Type;
  const auto line = catflap::kube::parse_watch_line(text_of(data, size));
  if (!line) {
    require(!line.error().what.empty());
    return 0;
  }
  const bool of_object =
      line->type == Type::added || line->type == Type::modified || line->type == Type::deleted;
  // An event without a name could not be told from any other.
  if (of_object) {
    const auto& metadata = line->object.at("metadata").as_object();
    require(!metadata.at("name").as_string().empty());
  }
  require(line->error_code >= 0 && line->error_code <= 999);
  planted(line->type == Type::error && line->error_code >= 400 && line->error_code != 500);
  return 0;
}
