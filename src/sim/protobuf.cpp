// K: generated.proto of apimachinery's meta/v1 and runtime, and of k8s.io/api's core/v1,
// authorization/v1 and authentication/v1. Every field that is no pointer there is written, also
// when it is empty.
#include "sim/protobuf.hpp"

#include <cstdint>
#include <map>
#include <vector>

#include "kube/base64.hpp"

namespace catflap::sim {

namespace json = boost::json;

namespace {

enum class Type { text, flag, message, texts, bytes, passed_over };

struct Message;

struct Field {
  std::uint64_t number;
  const char* name;
  Type type;  // texts and bytes: maps to them
  const Message* message = nullptr;
};

struct Message {
  std::vector<Field> fields;
};

/// Reads off the front; anything that does not fit makes it bad for good.
class Reader {
 public:
  explicit Reader(std::string_view left) : left_(left) {}
  [[nodiscard]] bool at_end() const { return left_.empty(); }
  [[nodiscard]] bool is_bad() const { return bad_; }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !left_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(left_.front());
      left_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    return spoil();
  }

  std::string_view bytes() {
    const auto size = varint();
    if (bad_ || size > left_.size()) {
      spoil();
      return {};
    }
    const auto taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }

 private:
  std::uint64_t spoil() {
    bad_ = true;
    left_ = {};
    return 0;
  }

  std::string_view left_;
  bool bad_ = false;
};

const Field* field_of(const Message& message, std::uint64_t number) {
  for (const auto& field : message.fields)
    if (field.number == number) return &field;
  return nullptr;
}

std::optional<json::object> decode(const Message& message, std::string_view body);

bool add_entry(json::object& map, const Field& field, std::string_view body) {
  static const Message kEntry{{{1, "key", Type::text}, {2, "value", Type::text}}};
  const auto entry = decode(kEntry, body);
  if (!entry) return false;
  const auto text = [&](const char* name) {
    const auto* value = entry->if_contains(name);
    return value == nullptr ? std::string{} : std::string{value->get_string()};
  };
  map[text("key")] = field.type == Type::bytes ? kube::encode_base64(text("value")) : text("value");
  return true;
}

bool add_bytes(json::object& object, const Field& field, std::string_view body) {
  switch (field.type) {
    case Type::text:
      if (!body.empty()) object[field.name] = body;
      return true;
    case Type::texts:
    case Type::bytes: {
      auto& map = object[field.name];
      if (!map.is_object()) map = json::object{};
      return add_entry(map.get_object(), field, body);
    }
    case Type::message: {
      auto below = decode(*field.message, body);
      if (!below) return false;
      object[field.name] = *std::move(below);
      return true;
    }
    case Type::passed_over:
      return true;
    case Type::flag:
      break;
  }
  return false;
}

std::optional<json::object> decode(const Message& message, std::string_view body) {
  constexpr std::uint64_t kVarint = 0;
  constexpr std::uint64_t kBytes = 2;
  json::object object;
  Reader reader(body);
  while (!reader.at_end()) {
    const auto tag = reader.varint();
    const auto wire = tag & 7u;
    const auto* field = field_of(message, tag >> 3u);
    if (reader.is_bad() || field == nullptr) return std::nullopt;
    if (wire == kVarint) {
      const auto value = reader.varint();
      if (field->type != Type::flag && field->type != Type::passed_over) return std::nullopt;
      if (field->type == Type::flag) object[field->name] = value != 0;
    } else if (wire != kBytes || !add_bytes(object, *field, reader.bytes())) {
      return std::nullopt;
    }
    if (reader.is_bad()) return std::nullopt;
  }
  return object;
}

const std::map<std::string, Message>& types() {
  static const Message metadata{{{1, "name", Type::text},
                                 {2, "generateName", Type::text},
                                 {3, "namespace", Type::text},
                                 {4, "selfLink", Type::passed_over},
                                 {5, "uid", Type::text},
                                 {6, "resourceVersion", Type::text},
                                 {7, "generation", Type::passed_over},
                                 {8, "creationTimestamp", Type::passed_over},
                                 {11, "labels", Type::texts},
                                 {12, "annotations", Type::texts}}};
  static const Message resource{{{1, "namespace", Type::text},
                                 {2, "verb", Type::text},
                                 {3, "group", Type::text},
                                 {4, "version", Type::text},
                                 {5, "resource", Type::text},
                                 {6, "subresource", Type::text},
                                 {7, "name", Type::text}}};
  static const Message path{{{1, "path", Type::text}, {2, "verb", Type::text}}};
  static const Message access{{{1, "resourceAttributes", Type::message, &resource},
                               {2, "nonResourceAttributes", Type::message, &path}}};
  static const Message rules{{{1, "namespace", Type::text}}};
  static const Field kMetadata{1, "metadata", Type::message, &metadata};
  static const std::map<std::string, Message> all{
      {"v1/ConfigMap",
       {{kMetadata,
         {2, "data", Type::texts},
         {3, "binaryData", Type::bytes},
         {4, "immutable", Type::flag}}}},
      {"v1/Secret",
       {{kMetadata,
         {2, "data", Type::bytes},
         {3, "type", Type::text},
         {4, "stringData", Type::texts},
         {5, "immutable", Type::flag}}}},
      {"v1/Namespace",
       {{kMetadata, {2, "spec", Type::passed_over}, {3, "status", Type::passed_over}}}},
      {"v1/ServiceAccount", {{kMetadata}}},
      {"authorization.k8s.io/v1/SelfSubjectAccessReview",
       {{kMetadata, {2, "spec", Type::message, &access}, {3, "status", Type::passed_over}}}},
      {"authorization.k8s.io/v1/SelfSubjectRulesReview",
       {{kMetadata, {2, "spec", Type::message, &rules}, {3, "status", Type::passed_over}}}},
      {"authentication.k8s.io/v1/SelfSubjectReview",
       {{kMetadata, {2, "status", Type::passed_over}}}},
  };
  return all;
}

std::string text_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string{value->get_string()} : std::string{};
}

}  // namespace

std::optional<json::object> object_of_protobuf(std::string_view body) {
  constexpr std::string_view kMagic{"k8s\0", 4};
  static const Message kType{{{1, "apiVersion", Type::text}, {2, "kind", Type::text}}};
  static const Message kUnknown{{{1, "typeMeta", Type::message, &kType},
                                 {2, "raw", Type::text},
                                 {3, "contentEncoding", Type::text},
                                 {4, "contentType", Type::text}}};
  if (!body.starts_with(kMagic)) return std::nullopt;
  const auto envelope = decode(kUnknown, body.substr(kMagic.size()));
  const auto* type = envelope ? envelope->if_contains("typeMeta") : nullptr;
  if (type == nullptr || !text_of(*envelope, "contentEncoding").empty()) return std::nullopt;
  const auto version = text_of(type->get_object(), "apiVersion");
  const auto kind = text_of(type->get_object(), "kind");
  const auto known = types().find(version + "/" + kind);
  const auto raw = text_of(*envelope, "raw");
  if (known == types().end() || raw.empty()) return std::nullopt;
  auto object = decode(known->second, raw);
  if (!object) return std::nullopt;
  (*object)["apiVersion"] = version;
  (*object)["kind"] = kind;
  return object;
}

}  // namespace catflap::sim
