#include "act/evidence.hpp"

#include <fmt/format.h>

#include <set>
#include <tuple>

#include "base/json_read.hpp"

namespace catflap::act {

namespace {

constexpr int kMaxParts = 4;  // 5,000 nodes take 2; deploy/closer.yaml names as many

std::string part_name(int part) {
  return fmt::format("{}-{}", kJournalName, part);
}

auto key_of(const Reach& reach) {
  return std::tuple{reach.vantage, reach.node, reach.endpoint};
}

std::string to_line(const Reach& reach) {
  return json::serialize(json::array{reach.vantage, reach.node, reach.endpoint.to_string(),
                                     reach.felix_host, to_rfc3339(reach.at)}) +
         "\n";
}

std::optional<Reach> parse_line(std::string_view line) {
  json::error_code failed;
  const auto parsed = json::parse(json::string_view{line.data(), line.size()}, failed);
  const auto* row = failed ? nullptr : parsed.if_array();
  if (row == nullptr || row->size() != 5) return std::nullopt;
  std::vector<std::string> cells;
  for (const auto& cell : *row) {
    const auto* text = cell.if_string();
    if (text == nullptr) return std::nullopt;
    cells.emplace_back(*text);
  }
  const auto endpoint = HostPort::parse(cells[2]);
  const auto at = parse_rfc3339(cells[4]);
  if (!endpoint || !at || cells[3].empty()) return std::nullopt;
  return Reach{.vantage = cells[0],
               .node = cells[1],
               .endpoint = *endpoint,
               .outcome = Outcome::open,
               .identity = Identity::felix,
               .felix_host = cells[3],
               .at = *at};
}

Result<void> write_part(const Context& context, const std::string& namespace_, int part,
                        const std::string& run_id, const std::string& lines) {
  const json::object data{{"run", run_id}, {"answers", lines}};
  const json::object object{
      {"apiVersion", "v1"},
      {"kind", "ConfigMap"},
      {"metadata",
       json::object{{"name", part_name(part)},
                    {"namespace", namespace_},
                    {"labels", json::object{{"app.kubernetes.io/managed-by", "catflap"}}}}},
      {"data", data}};
  auto created = context.api.create(kube::kConfigMaps, namespace_, object, {});
  if (created) return {};
  if (created.error().kind != ErrorKind::conflict)
    return journal_error(std::move(created).error(), namespace_);
  auto patched = context.api.patch({kube::kConfigMaps, namespace_, part_name(part)},
                                   kube::PatchType::merge_patch, json::object{{"data", data}}, {});
  if (!patched) return journal_error(std::move(patched).error(), namespace_);
  return {};
}

void read_part(const json::object& object, const std::string& run_id, std::vector<Reach>& answers) {
  if (text_at(object, {"data", "run"}) != run_id) return;
  const auto lines = text_at(object, {"data", "answers"});
  std::size_t from = 0;
  while (from < lines.size()) {
    auto end = lines.find('\n', from);
    if (end == std::string::npos) end = lines.size();
    // A line that somebody edited is one answer less, which can only make a verdict weaker.
    if (auto reach = parse_line(std::string_view{lines}.substr(from, end - from)))
      answers.push_back(std::move(*reach));
    from = end + 1;
  }
}

}  // namespace

std::vector<Reach> merge_before(std::vector<Reach> recorded, const std::vector<Reach>& reached) {
  std::set<std::tuple<std::string, std::string, HostPort>> known;
  for (const auto& reach : recorded) known.insert(key_of(reach));
  for (const auto& reach : reached)
    if (reach.identity == Identity::felix && !reach.felix_host.empty() &&
        known.insert(key_of(reach)).second)
      recorded.push_back(reach);
  return recorded;
}

Result<int> write_before_evidence(const Context& context, const std::string& namespace_,
                                  const std::string& run_id, const std::vector<Reach>& answers) {
  std::vector<std::string> parts;
  for (const auto& reach : answers) {
    const auto line = to_line(reach);
    if (parts.empty() || parts.back().size() + line.size() > kMaxJournalBytes) parts.emplace_back();
    parts.back() += line;
  }
  if (parts.size() > static_cast<std::size_t>(kMaxParts))
    return Error{.kind = ErrorKind::refused,
                 .what = fmt::format("the before-evidence takes {} ConfigMaps, more than {}",
                                     parts.size(), kMaxParts),
                 .hint = "Close fewer nodes at a time: name one namespace with -n."};
  int number = 0;
  for (const auto& part : parts) TRY(write_part(context, namespace_, ++number, run_id, part));
  return number;
}

void remove_before_evidence(const Context& context, const std::string& namespace_, int first,
                            int last) {
  for (int part = first; part <= std::min(last, kMaxParts); ++part)
    (void)context.api.remove({kube::kConfigMaps, namespace_, part_name(part)}, "", "", {})
        .has_value();
}

Result<std::vector<Reach>> read_before_evidence(kube::Api& api, const std::string& namespace_,
                                                const JournalRun& run) {
  std::vector<Reach> answers;
  for (int part = 1; part <= std::min(run.evidence_parts, kMaxParts); ++part) {
    auto object = api.get({kube::kConfigMaps, namespace_, part_name(part)});
    if (object) {
      read_part(*object, run.id, answers);
    } else if (object.error().kind != ErrorKind::not_found) {
      return journal_error(std::move(object).error(), namespace_);
    }
  }
  return answers;
}

}  // namespace catflap::act
