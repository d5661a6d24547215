// Boost.JSON's event parser drives two value stacks: one for the item at hand, one for the envelope
// around the items, which stands in the document as an empty array.
#include "kube/list_page.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <optional>

#include "base/json_read.hpp"

namespace catflap::kube {

namespace {

constexpr std::size_t kMaxDepth = 100;

struct Handler {
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  std::function<void(json::object&&)> each;
  json::value_stack envelope;
  json::value_stack item;
  std::size_t depth = 0;
  bool in_items = false;  // between items' brackets
  bool seen_items = false;
  bool item_is_no_object = false;
  bool at_items = false;  // the key just read, at depth 1, is "items"
  std::string key;        // collected over the parts, at depth 1 only

  json::value_stack& stack() { return in_items ? item : envelope; }

  /// After a whole value: an item goes out, and a null for items counts as an empty list (a nil
  /// slice in Go).
  bool value_done(json::error_code& error) {
    if (!in_items || depth != 2) return true;
    json::value value = item.release();
    item.reset();
    if (!value.is_object()) {
      item_is_no_object = true;
      error = json::error::syntax;
      return false;
    }
    each(std::move(value.get_object()));
    return true;
  }

  bool on_document_begin(json::error_code&) { return envelope.reset(), item.reset(), true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return ++depth, true; }
  bool on_object_end(std::size_t n, json::error_code& error) {
    --depth;
    stack().push_object(n);
    return value_done(error);
  }
  bool on_array_begin(json::error_code&) {
    if (depth == 1 && at_items && !in_items) in_items = seen_items = true;
    return ++depth, true;
  }
  bool on_array_end(std::size_t n, json::error_code& error) {
    --depth;
    if (in_items && depth == 1) {
      in_items = false;
      envelope.push_array(0);
      return true;
    }
    stack().push_array(n);
    return value_done(error);
  }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    stack().push_chars(part);
    if (depth == 1) key.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view part, std::size_t, json::error_code&) {
    stack().push_key(part);
    if (depth == 1) {
      key.append(part.data(), part.size());
      at_items = key == "items";
      key.clear();
    }
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
    return stack().push_chars(part), true;
  }
  bool on_string(json::string_view part, std::size_t, json::error_code& error) {
    return stack().push_string(part), value_done(error);
  }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t value, json::string_view, json::error_code& error) {
    return stack().push_int64(value), value_done(error);
  }
  bool on_uint64(std::uint64_t value, json::string_view, json::error_code& error) {
    return stack().push_uint64(value), value_done(error);
  }
  bool on_double(double value, json::string_view, json::error_code& error) {
    return stack().push_double(value), value_done(error);
  }
  bool on_bool(bool value, json::error_code& error) {
    return stack().push_bool(value), value_done(error);
  }
  bool on_null(json::error_code& error) {
    if (depth == 1 && at_items) seen_items = true;
    return stack().push_null(), value_done(error);
  }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }
};

json::parse_options options() {
  json::parse_options out;
  out.max_depth = kMaxDepth;
  return out;
}

Error malformed(std::string what) {
  return Error{.kind = ErrorKind::malformed_input,
               .what = std::move(what),
               .hint = "is this really a Kubernetes API server? A proxy may have answered instead"};
}

}  // namespace

struct ListPage::Impl {
  json::basic_parser<Handler> parser{options()};
  std::optional<Error> error;
};

ListPage::ListPage(std::function<void(json::object&&)> each) : impl_(std::make_unique<Impl>()) {
  impl_->parser.handler().each = std::move(each);
}
ListPage::~ListPage() = default;
ListPage::ListPage(ListPage&&) noexcept = default;
ListPage& ListPage::operator=(ListPage&&) noexcept = default;

Result<void> ListPage::feed(std::string_view bytes) {
  if (impl_->error) return *impl_->error;
  json::error_code error;
  std::size_t used = impl_->parser.write_some(true, bytes.data(), bytes.size(), error);
  if (!error && used < bytes.size()) {
    bool only_blanks = bytes.find_first_not_of(" \t\r\n", used) == std::string_view::npos;
    if (!only_blanks) error = json::error::extra_data;
  }
  if (error) {
    impl_->error = malformed(impl_->parser.handler().item_is_no_object
                                 ? "an item of the list is not an object"
                                 : "the list is not JSON: " + error.message());
    return *impl_->error;
  }
  return {};
}

Result<ListPage::End> ListPage::finish() {
  if (impl_->error) return *impl_->error;
  json::error_code error;
  if (!impl_->parser.done()) impl_->parser.write_some(false, nullptr, 0, error);
  if (error || !impl_->parser.done()) return malformed("the list ends in the middle");
  json::value document = impl_->parser.handler().envelope.release();
  if (!document.is_object() || !impl_->parser.handler().seen_items) {
    return malformed("the answer is not a list: it has no items");
  }
  const json::object& list = document.get_object();
  return End{.resource_version = text_at(list, {"metadata", "resourceVersion"}),
             .continue_token = text_at(list, {"metadata", "continue"})};
}

}  // namespace catflap::kube
