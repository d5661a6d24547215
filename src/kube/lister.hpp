// read_list: a whole list, page by page, as both list() and a watch's first half need it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kube/api.hpp"
#include "kube/transport.hpp"

namespace catflap::kube {

constexpr std::size_t kMaxAnswerBytes = 32u << 20;  // one JSON answer, unpacked
constexpr int kMaxListRestarts = 5;
constexpr int kMaxPages = 100'000;
constexpr int kMaxEmptyPages = 3;

/// One page: its objects, and where the next one begins.
struct Page {
  std::vector<json::object> items;
  std::string resource_version;
  std::string continue_token;
};

/// Where a list stands between two pages.
struct ListCursor {
  std::string continue_token;
  int page_size = 500;  // halved when a page is larger than kMaxAnswerBytes
  int restarts = 0;
  int pages = 0;
  int empty_pages = 0;  // one after another, each with a token for the next
  bool finished = false;
};

enum class PageResult { page, restart };

/// Fetches the next page into `page` and moves the cursor. `restart`: the server has forgotten the
/// list (410) and the next call begins anew; after five of them overloaded. malformed_input: the
/// list does not end (the same token twice, empty pages, more than kMaxPages).
[[nodiscard]] Task<Result<PageResult>> read_page(Transport& transport, Scope& scope,
                                                 const ListQuery& query, ListCursor& cursor,
                                                 Page& page);

}  // namespace catflap::kube
