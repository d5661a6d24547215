#include "render/document.hpp"

#include "render/model_json.hpp"

namespace catflap::render {
namespace {

void write_indented(const json::value& value, std::size_t depth, std::string& out) {
  const std::string inner(2 * (depth + 1), ' ');
  const char* between = "\n";
  if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
    out += '{';
    for (const auto& [key, member] : *object) {
      out += between + inner + json::serialize(key) + ": ";
      write_indented(member, depth + 1, out);
      between = ",\n";
    }
    out += "\n" + std::string(2 * depth, ' ') + "}";
  } else if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
    out += '[';
    for (const json::value& item : *array) {
      out += between + inner;
      write_indented(item, depth + 1, out);
      between = ",\n";
    }
    out += "\n" + std::string(2 * depth, ' ') + "]";
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

json::object envelope(const char* kind, const RunInfo& run) {
  json::value cluster = nullptr;
  json::value user = nullptr;
  json::value skew = nullptr;
  if (run.facts != nullptr) {
    cluster = {{"uid", run.facts->uid},
               {"name", run.facts->cluster_name},
               {"server", run.facts->server},
               {"version", run.facts->kubernetes_version}};
    user = run.facts->user;
    skew = run.facts->clock_skew.count();
  }
  return {{"apiVersion", kApiVersion},
          {"kind", kind},
          {"metadata",
           {{"catflap", CATFLAP_VERSION},
            {"rules", kRules},
            {"cluster", cluster},
            {"user", user},
            {"startedAt", to_rfc3339(run.started)},
            {"finishedAt", to_rfc3339(run.finished)},
            {"clockSkewMs", skew}}}};
}

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(safe_text(text));
}

json::value error_json(const Error& error) {
  json::array context;
  for (const std::string& line : error.context) context.emplace_back(safe_text(line));
  return {{"kind", to_string(error.kind)},
          {"what", safe_text(error.what)},
          {"subject", text_or_null(error.subject)},
          {"hint", text_or_null(error.hint)},
          {"context", std::move(context)}};
}

json::object error_document(const std::vector<Error>& errors, const RunInfo& run) {
  json::object document = envelope("Error", run);
  document["error"] = errors.empty() ? json::value(nullptr) : error_json(errors.front());
  json::array problems;
  for (const Error& error : errors) problems.push_back(error_json(error));
  if (errors.size() > 1) document["problems"] = std::move(problems);
  return document;
}

std::string to_json_text(const json::value& value) {
  std::string out;
  write_indented(value, 0, out);
  return out + "\n";
}

}  // namespace catflap::render
