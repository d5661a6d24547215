// ListPage: splits one page of a list into its items while it arrives, so that a page is never held
// as text. A newcomer's surprise: `{}` is not an empty list. Without `items` the answer is an
// error, for an empty list of nodes would mean "nothing left to close".
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace catflap::kube {

class ListPage {
 public:
  /// `each` gets every item in order, as soon as its last byte is there.
  explicit ListPage(std::function<void(boost::json::object&&)> each);
  ~ListPage();
  ListPage(ListPage&&) noexcept;
  ListPage& operator=(ListPage&&) noexcept;

  /// The next bytes, cut anywhere. malformed_input if they are not JSON, nest deeper than 100, or
  /// an item is not an object.
  [[nodiscard]] Result<void> feed(std::string_view bytes);

  struct End {
    std::string resource_version;
    std::string continue_token;  // empty: this was the last page
  };
  /// After the last byte. malformed_input if the document is not complete, is not a list, or has no
  /// items.
  [[nodiscard]] Result<End> finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace catflap::kube
