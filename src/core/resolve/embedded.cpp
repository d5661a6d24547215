// Calico decodes the JSON into a Kubernetes ObjectMeta, and one field of a wrong type makes the
// whole object unusable. So every field that ObjectMeta has is checked, not only the annotations.
#include "core/resolve/embedded.hpp"

#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "base/json_read.hpp"
#include "base/text.hpp"

namespace catflap {
namespace {

/// Notices keys that stand twice in one object, in any case; Boost.JSON's own values would silently
/// keep the last.
class DuplicateKeyHandler {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  [[nodiscard]] bool found() const { return found_; }

  using Code = boost::system::error_code;
  bool on_object_begin(Code&) { return keys_.emplace_back(), true; }
  bool on_object_end(std::size_t, Code&) { return keys_.pop_back(), true; }
  bool on_key_part(json::string_view part, std::size_t, Code&) { return key_ += part, true; }
  bool on_key(json::string_view part, std::size_t, Code&) {
    key_ += part;
    // Only the outermost object is a Go struct; keys of maps are compared as they are.
    const std::string key = keys_.size() == 1 ? to_lower(key_) : key_;
    if (!keys_.back().insert(key).second) found_ = true;
    key_.clear();
    return true;
  }
  static bool on_document_begin(Code&) { return true; }
  static bool on_document_end(Code&) { return true; }
  static bool on_array_begin(Code&) { return true; }
  static bool on_array_end(std::size_t, Code&) { return true; }
  static bool on_string_part(json::string_view, std::size_t, Code&) { return true; }
  static bool on_string(json::string_view, std::size_t, Code&) { return true; }
  static bool on_number_part(json::string_view, Code&) { return true; }
  static bool on_int64(std::int64_t, json::string_view, Code&) { return true; }
  static bool on_uint64(std::uint64_t, json::string_view, Code&) { return true; }
  static bool on_double(double, json::string_view, Code&) { return true; }
  static bool on_bool(bool, Code&) { return true; }
  static bool on_null(Code&) { return true; }
  static bool on_comment_part(json::string_view, Code&) { return true; }
  static bool on_comment(json::string_view, Code&) { return true; }

 private:
  std::vector<std::set<std::string>> keys_;
  std::string key_;
  bool found_ = false;
};

bool has_duplicate_keys(std::string_view text) {
  json::basic_parser<DuplicateKeyHandler> parser{json::parse_options{}};
  boost::system::error_code ignored;
  parser.write_some(false, text.data(), text.size(), ignored);
  return parser.handler().found();
}

enum class FieldType { text, whole_number, yes_no, time, text_map, text_list, owners, managers };

struct Field {
  std::string_view name;  // in lower case
  FieldType type;
};

constexpr Field kObjectMeta[] = {
    {"name", FieldType::text},
    {"generatename", FieldType::text},
    {"namespace", FieldType::text},
    {"selflink", FieldType::text},
    {"uid", FieldType::text},
    {"resourceversion", FieldType::text},
    {"generation", FieldType::whole_number},
    {"deletiongraceperiodseconds", FieldType::whole_number},
    {"creationtimestamp", FieldType::time},
    {"deletiontimestamp", FieldType::time},
    {"labels", FieldType::text_map},
    {"annotations", FieldType::text_map},
    {"finalizers", FieldType::text_list},
    {"ownerreferences", FieldType::owners},
    {"managedfields", FieldType::managers},
};

constexpr Field kOwnerReference[] = {
    {"apiversion", FieldType::text},   {"kind", FieldType::text},
    {"name", FieldType::text},         {"uid", FieldType::text},
    {"controller", FieldType::yes_no}, {"blockownerdeletion", FieldType::yes_no},
};

constexpr Field kManagedFieldsEntry[] = {
    {"manager", FieldType::text}, {"operation", FieldType::text},  {"apiversion", FieldType::text},
    {"time", FieldType::time},    {"fieldstype", FieldType::text}, {"subresource", FieldType::text},
};

bool is_text_or_null(const json::value& value) {
  return value.is_string() || value.is_null();
}

std::string text_of(const json::value& value) {
  const json::string* text = value.if_string();
  return text ? std::string{text->data(), text->size()} : std::string{};
}

/// The name of a field that does not fit its type, or "".
std::string misfit(const json::object& object, std::span<const Field> fields);

bool all_fit(const json::value& value, std::span<const Field> fields) {
  const json::array* array = value.if_array();
  return array && std::all_of(array->begin(), array->end(), [fields](const json::value& item) {
           return item.is_null() || (item.is_object() && misfit(item.get_object(), fields).empty());
         });
}

bool fits(const json::value& value, FieldType type) {
  if (value.is_null()) return true;
  const json::array* array = value.if_array();
  switch (type) {
    case FieldType::text:
      return value.is_string();
    case FieldType::whole_number:
      return value.is_int64();
    case FieldType::yes_no:
      return value.is_bool();
    case FieldType::time:
      return value.is_string() && parse_rfc3339(text_of(value));
    case FieldType::text_map:
      return value.is_object() &&
             std::all_of(value.get_object().begin(), value.get_object().end(),
                         [](const auto& entry) { return is_text_or_null(entry.value()); });
    case FieldType::text_list:
      return array && std::all_of(array->begin(), array->end(), is_text_or_null);
    case FieldType::owners:
      return all_fit(value, kOwnerReference);
    case FieldType::managers:
      return all_fit(value, kManagedFieldsEntry);
  }
  return false;
}

std::string misfit(const json::object& object, std::span<const Field> fields) {
  for (const auto& [key, value] : object) {
    const std::string name = to_lower(std::string_view{key.data(), key.size()});
    for (const Field& field : fields) {
      if (field.name == name && !fits(value, field.type)) return name;
    }
  }
  return "";
}

Error refused(std::string what) {
  return Error{.kind = ErrorKind::malformed_input,
               .what = std::move(what),
               .subject = "annotation " + std::string{kMetadataAnnotation}};
}

}  // namespace

Result<EmbeddedMetadata> parse_embedded_metadata(std::string_view text) {
  boost::system::error_code error;
  const json::value parsed = json::parse(json::string_view{text.data(), text.size()}, error);
  if (error) return refused("not valid JSON: " + error.message());
  EmbeddedMetadata metadata;
  if (parsed.is_null()) return metadata;
  const json::object* object = parsed.if_object();
  if (!object) return refused("not a JSON object");
  if (has_duplicate_keys(text)) return refused("a key stands twice");

  const std::string wrong = misfit(*object, kObjectMeta);
  if (!wrong.empty()) return refused("the field " + wrong + " has a wrong type");

  for (const auto& [key, value] : *object) {
    const std::string name = to_lower(std::string_view{key.data(), key.size()});
    if (name == "annotations" && value.is_object()) {
      for (const auto& [annotation, content] : value.get_object()) {
        metadata.annotations[std::string{annotation.data(), annotation.size()}] = text_of(content);
      }
    }
    if (name == "creationtimestamp") metadata.created = parse_rfc3339(text_of(value));
  }
  return metadata;
}

}  // namespace catflap
