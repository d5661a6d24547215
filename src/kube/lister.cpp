#include "kube/lister.hpp"

#include <fmt/format.h>

#include "kube/list_page.hpp"
#include "kube/paths.hpp"

namespace catflap::kube {

namespace {

class PageReader final : public BodyReader {
 public:
  void restart() override {
    bytes_ = 0;
    items.clear();
    parser = ListPage([this](json::object&& item) { items.push_back(std::move(item)); });
  }
  Result<void> feed(std::string_view bytes) override {
    bytes_ += bytes.size();
    too_large = bytes_ > kMaxAnswerBytes;
    if (too_large)
      return Error{.kind = ErrorKind::malformed_input, .what = "the answer is larger than 32 MiB"};
    return parser.feed(bytes);
  }
  std::vector<json::object> items;
  ListPage parser{[](json::object&&) {}};
  bool too_large = false;

 private:
  std::size_t bytes_ = 0;
};

Call list_call(const ListQuery& query, const ListCursor& cursor) {
  Call out;
  out.target = collection_path(query.resource, query.namespace_) +
               query_string({{"labelSelector", query.label_selector},
                             {"fieldSelector", query.field_selector},
                             {"limit", std::to_string(cursor.page_size)},
                             {"continue", cursor.continue_token}});
  out.subject = describe_collection(query.resource, query.namespace_);
  return out;
}

/// False if the list goes in a circle.
bool advance(ListCursor& cursor, bool empty, const std::string& token) {
  bool same = !token.empty() && token == cursor.continue_token;
  cursor.empty_pages = empty && !token.empty() ? cursor.empty_pages + 1 : 0;
  cursor.continue_token = token;
  cursor.finished = token.empty();
  return cursor.finished ||
         (!same && ++cursor.pages < kMaxPages && cursor.empty_pages < kMaxEmptyPages);
}

}  // namespace

Task<Result<PageResult>> read_page(Transport& transport, Scope& scope, const ListQuery& query,
                                   ListCursor& cursor, Page& page) {
  for (;;) {
    Call call = list_call(query, cursor);
    PageReader reader;
    auto head = co_await transport.call(scope, call, reader);
    if (!head && reader.too_large && cursor.page_size > 1) {
      cursor.page_size /= 2;
      continue;
    }
    if (!head && head.error().system_code == 410 && !cursor.continue_token.empty()) {
      cursor.continue_token.clear();
      if (++cursor.restarts <= kMaxListRestarts) co_return PageResult::restart;
      Error error = std::move(head).error();
      error.kind = ErrorKind::overloaded;
      error.hint =
          "the list was forgotten by the server again and again: the API server is too slow, try "
          "later";
      co_return error;
    }
    if (!head) co_return std::move(head).error();
    auto end = reader.parser.finish();
    if (!end) {
      end.error().subject = call.subject;
      co_return std::move(end).error();
    }
    if (!advance(cursor, reader.items.empty(), end->continue_token)) {
      co_return Error{.kind = ErrorKind::malformed_input,
                      .what = "the list does not end: its pages lead nowhere",
                      .subject = call.subject,
                      .hint = "is this really a Kubernetes API server?"};
    }
    page = Page{std::move(reader.items), end->resource_version, end->continue_token};
    co_return PageResult::page;
  }
}

}  // namespace catflap::kube
