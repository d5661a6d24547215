#include "sim/api_shape.hpp"

#include "base/json_read.hpp"
#include "sim/api_table.hpp"

namespace catflap::sim {

namespace {

json::object with_type(std::string_view api_version, std::string_view kind,
                       const json::object& object) {
  json::object typed{{"kind", kind}, {"apiVersion", api_version}};
  for (const auto& [key, value] : object)
    if (key != "kind" && key != "apiVersion") typed[key] = value;
  return typed;
}

json::object metadata_only(const json::object& object) {
  const auto* metadata = object_at(object, {"metadata"});
  return {{"kind", "PartialObjectMetadata"},
          {"apiVersion", "meta.k8s.io/v1"},
          {"metadata", metadata == nullptr ? json::object{} : *metadata}};
}

}  // namespace

Shape::Form Shape::form_of(std::string_view accept) {
  while (!accept.empty()) {
    const auto end = accept.find(',');
    const auto one = accept.substr(0, end);
    accept = end == std::string_view::npos ? std::string_view{} : accept.substr(end + 1);
    const bool is_json = one.find("application/json") != std::string_view::npos;
    const bool v1 = one.find("v=v1;") != std::string_view::npos || one.ends_with("v=v1");
    const bool meta = is_json && v1 && one.find("g=meta.k8s.io") != std::string_view::npos;
    if (meta && one.find("as=Table") != std::string_view::npos) return Form::table;
    if (meta && one.find("as=PartialObjectMetadata") != std::string_view::npos)
      return Form::metadata;
    if (is_json && one.find("as=") == std::string_view::npos) return Form::whole;
  }
  return Form::whole;
}

json::object Shape::row(const json::object& object) const {
  json::object row{{"cells", table_cells(kind_.resource, object, clock_->now())}};
  if (include_ == "Object")
    row["object"] = with_type(kind_.resource.api_version(), kind_.name, object);
  else if (include_ != "None")
    row["object"] = metadata_only(object);
  return row;
}

json::object Shape::table(json::array rows, json::object metadata) const {
  return {{"kind", "Table"},
          {"apiVersion", "meta.k8s.io/v1"},
          {"metadata", std::move(metadata)},
          {"columnDefinitions", table_columns(kind_.resource)},
          {"rows", std::move(rows)}};
}

json::object Shape::one(const json::object& object) const {
  switch (form_) {
    case Form::table:
      return table({row(object)},
                   {{"resourceVersion", text_at(object, {"metadata", "resourceVersion"})}});
    case Form::metadata:
      return metadata_only(object);
    case Form::whole:
      break;
  }
  return with_type(kind_.resource.api_version(), kind_.name, object);
}

json::object Shape::list(const std::vector<json::object>& objects, json::object metadata) const {
  json::array items;
  for (const auto& object : objects) {
    if (form_ == Form::table) {
      items.push_back(row(object));
    } else if (form_ == Form::whole && kind_.is_built_in()) {
      json::object item = object;  // the list says what its items are
      item.erase("kind");
      item.erase("apiVersion");
      items.push_back(std::move(item));
    } else {
      items.push_back(one(object));
    }
  }
  if (form_ == Form::table) return table(std::move(items), std::move(metadata));
  const bool whole = form_ == Form::whole;
  return {{"kind", whole ? kind_.name + "List" : "PartialObjectMetadataList"},
          {"apiVersion", whole ? kind_.resource.api_version() : "meta.k8s.io/v1"},
          {"metadata", std::move(metadata)},
          {"items", std::move(items)}};
}

}  // namespace catflap::sim
