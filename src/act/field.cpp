// Where a target's field is in its object, and how it compares. Pure; apply.cpp does the reading
// and writing.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "act/apply.hpp"
#include "base/json_read.hpp"
#include "base/text.hpp"
#include "core/plan/env_touch.hpp"

namespace catflap::act {

namespace {

constexpr std::size_t kMaxDifferences = 4;
constexpr std::size_t kMaxValueBytes = 160;

/// The object that holds the field and the field's key in it.
struct Place {
  std::string parent_pointer;
  const json::object* parent = nullptr;  // null: does not exist
  std::string key;
};

std::string escaped(std::string_view token) {
  std::string text;
  for (const char c : token) {
    if (c == '~') {
      text += "~0";
    } else if (c == '/') {
      text += "~1";
    } else {
      text += c;
    }
  }
  return text;
}

std::string subject_of(const Target& target) {
  return target.namespace_.empty()
             ? fmt::format("{} {}", target.kind, target.name)
             : fmt::format("{} {}/{}", target.kind, target.namespace_, target.name);
}

Result<Place> place_in_container(const json::object& object, const Target& target) {
  const auto* list = value_at(object, {"spec", "template", "spec", "containers"});
  const auto* containers = list == nullptr ? nullptr : list->if_array();
  for (std::size_t i = 0; containers != nullptr && i < containers->size(); ++i) {
    const auto* container = (*containers)[i].if_object();
    if (container == nullptr || text_at(*container, {"name"}) != target.container) continue;
    return Place{fmt::format("/spec/template/spec/containers/{}", i), container, target.field};
  }
  return not_the_planned(target, fmt::format("has no container {} any more", target.container));
}

/// spec.a.b: the last name is the key, the rest the way to its holder.
Place place_on_path(const json::object& object, std::string_view path) {
  Place place{"", &object, ""};
  while (true) {
    const auto dot = path.find('.');
    if (dot == std::string_view::npos) break;
    const auto name = path.substr(0, dot);
    const auto* next = place.parent == nullptr ? nullptr : place.parent->if_contains(name);
    place.parent = next == nullptr ? nullptr : next->if_object();
    place.parent_pointer += "/" + escaped(name);
    path.remove_prefix(dot + 1);
  }
  place.key = std::string{path};
  return place;
}

Result<Place> place_of(const json::object& object, const Target& target) {
  if (!target.container.empty()) return place_in_container(object, target);
  constexpr std::string_view kAnnotation = "metadata.annotations[";
  if (target.field.starts_with(kAnnotation) && target.field.ends_with(']')) {
    const auto* annotations = value_at(object, {"metadata", "annotations"});
    const auto key =
        target.field.substr(kAnnotation.size(), target.field.size() - kAnnotation.size() - 1);
    return Place{"/metadata/annotations",
                 annotations == nullptr ? nullptr : annotations->if_object(), key};
  }
  return place_on_path(object, target.field);
}

/// The entries of an env list that the change is about; empty: it is about the whole field.
std::set<std::string> touched_by(const FieldChange& change) {
  if (change.target.container.empty()) return {};
  return touched_names(change.expected, change.wanted);
}

std::string shown(const json::value& value) {
  if (value.is_null()) return "(absent)";
  const auto* entry = value.if_object();
  if (entry == nullptr || !entry->contains("name"))
    return printable(json::serialize(value), kMaxValueBytes);
  const auto* from = entry->if_contains("valueFrom");
  const auto text = from != nullptr ? json::serialize(*from) : text_at(*entry, {"value"});
  return printable(text_at(*entry, {"name"}) + "=" + text, kMaxValueBytes);
}

/// What `now` has and `other` has not.
std::vector<std::string> entries_only_in(const json::array& now, const json::array& other) {
  std::vector<std::string> lines;
  for (const auto& entry : now)
    if (std::find(other.begin(), other.end(), entry) == other.end()) lines.push_back(shown(entry));
  return lines;
}

std::string joined(std::vector<std::string> lines) {
  const auto total = lines.size();
  if (total > kMaxDifferences) {
    lines.resize(kMaxDifferences);
    lines.push_back(fmt::format("and {} more", total - kMaxDifferences));
  }
  std::string text;
  for (const auto& line : lines) text += (text.empty() ? "" : ", ") + line;
  return text;
}

std::string difference(const json::value& was, const json::value& now) {
  const auto* before = was.if_array();
  const auto* after = now.if_array();
  if (before == nullptr || after == nullptr)
    return fmt::format("expected {}, found {}", shown(was), shown(now));
  const auto added = entries_only_in(*after, *before);
  const auto gone = entries_only_in(*before, *after);
  std::string text;
  if (!added.empty()) text += "found " + joined(added);
  if (!gone.empty()) text += (text.empty() ? "" : "; ") + ("missing " + joined(gone));
  return text.empty() ? "the same entries in another order or number" : text;
}

}  // namespace

Error not_the_planned(const Target& target, std::string what) {
  return Error{.kind = ErrorKind::refused,
               .what = std::move(what),
               .subject = subject_of(target),
               .hint = "Run catflap plan again and decide on what is there now."};
}

Error changed_since(const FieldChange& change, const json::value& now) {
  const auto names = touched_by(change);
  const auto part = [&](const json::value& value) {
    return names.empty() ? value : json::value(entries_of(value, names));
  };
  return Error{.kind = ErrorKind::refused,
               .what = fmt::format("somebody else changed {} since: {}", change.target.field,
                                   difference(part(change.expected), part(now))),
               .subject = subject_of(change.target),
               .hint =
                   "Nothing was written to it. Look at the object and decide again "
                   "(catflap explain CF0049)."};
}

std::int64_t changes_of(const json::object& object) {
  // K: pkg/registry/apps/daemonset/strategy.go counts the changes of the template; apps/v1 shows
  // the number as an annotation only. metadata.generation also counts, for example, another update
  // strategy.
  const auto text =
      text_at(object, {"metadata", "annotations", "deprecated.daemonset.template.generation"});
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size() && number > 0) return number;
  return number_at(object, {"metadata", "generation"});
}

Result<FieldNow> judge_field(const json::object& object, const FieldChange& change) {
  const auto uid = text_at(object, {"metadata", "uid"});
  if (!change.target.uid.empty() && uid != change.target.uid)
    return not_the_planned(change.target, "was deleted and made again since");
  TRY_ASSIGN(const auto place, place_of(object, change.target));
  const auto* value = place.parent == nullptr ? nullptr : place.parent->if_contains(place.key);
  FieldNow now{.value = value == nullptr ? json::value{} : *value,
               .next = change.wanted,
               .has_parent = place.parent != nullptr,
               .only_field = place.parent != nullptr && place.parent->size() == 1,
               .generation = changes_of(object),
               .resource_version = text_at(object, {"metadata", "resourceVersion"}),
               .parent_pointer = place.parent_pointer,
               .pointer = place.parent_pointer + "/" + escaped(place.key)};
  const auto names = touched_by(change);
  const auto equal = [&](const json::value& other) {
    return names.empty() ? now.value == other
                         : entries_of(now.value, names) == entries_of(other, names);
  };
  if (equal(change.wanted)) {
    now.match = FieldMatch::as_wanted;
  } else if (equal(change.expected)) {
    now.match = FieldMatch::as_expected;
    if (!names.empty()) now.next = with_entries_of(now.value, change.wanted, names);
  }
  return now;
}

}  // namespace catflap::act
