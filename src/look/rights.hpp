// What a right turned out to be, namespace by namespace: what was refused once and never granted is
// not asked again there.
#pragma once

#include <map>
#include <string>

namespace catflap::look {

class Rights {
 public:
  void granted(const std::string& namespace_);
  /// `refusal`: the server's words.
  void refused(const std::string& namespace_, std::string refusal);
  /// Why there is no point in asking (again) in that namespace, or null.
  [[nodiscard]] const std::string* refusal(const std::string& namespace_) const;
  /// The first refusal, if there were refusals and nothing else; or null.
  [[nodiscard]] const std::string* nowhere() const;

 private:
  struct Right {
    bool granted = false;
    std::string refusal;
  };
  std::map<std::string, Right> by_namespace_;
};

}  // namespace catflap::look
