#include "app/policy_file.hpp"

#include <yaml-cpp/yaml.h>

#include <array>

#include "base/text.hpp"

namespace catflap::app {
namespace {

constexpr std::size_t kMaxBytes = 1u << 20;
constexpr std::array kAcceptable{Verdict::protected_, Verdict::local_only, Verdict::not_felix,
                                 Verdict::filtered};

/// One key of a mapping and what it does with its value. `into` is what is being filled.
template <class T>
struct Key {
  const char* name;
  Result<void> (*read)(const YAML::Node& value, T& into);
};

Error usage(std::string what, std::string hint = "") {
  return Error{.kind = ErrorKind::usage, .what = std::move(what), .hint = std::move(hint)};
}

/// Adds "line 7: exceptions" while the error has no place yet.
Error at(Error error, const YAML::Node& node, const std::string& key) {
  if (error.subject.empty()) error.subject = fmt::format("line {}: {}", node.Mark().line + 1, key);
  return error;
}

template <class T, std::size_t N>
Result<void> read_mapping(const YAML::Node& node, T& into, const std::array<Key<T>, N>& keys) {
  if (!node.IsMap()) return usage("expected \"key: value\" lines here");
  std::vector<std::string> seen;
  for (const auto& entry : node) {
    const std::string name = entry.first.IsScalar() ? entry.first.Scalar() : "";
    auto key =
        std::find_if(keys.begin(), keys.end(), [&](const Key<T>& k) { return name == k.name; });
    if (key == keys.end()) {
      std::vector<std::string> names;
      for (const Key<T>& known : keys) names.emplace_back(known.name);
      std::string near = nearest(name, names);
      return at(
          usage("unknown key", near.empty() ? fmt::format("known here: {}", fmt::join(names, ", "))
                                            : fmt::format("did you mean {}?", near)),
          entry.first, printable(name, 60));
    }
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      return at(usage("the key stands twice", "keep one"), entry.first, name);
    }
    seen.push_back(name);
    if (auto done = key->read(entry.second, into); !done)
      return at(std::move(done).error(), entry.second, name);
  }
  return {};
}

Result<std::string> scalar(const YAML::Node& node) {
  if (!node.IsScalar() || node.Scalar().empty()) return usage("expected one value");
  return node.Scalar();
}

template <class T>
Result<void> exactly(const YAML::Node& node, const T& wanted) {
  TRY_ASSIGN(std::string word, scalar(node));
  if (word != wanted) return usage(fmt::format("\"{}\" is not {}", printable(word, 60), wanted));
  return {};
}

Result<void> read_want(const YAML::Node& node, Policy& policy) {
  std::vector<YAML::Node> items;
  if (node.IsSequence()) {
    for (const YAML::Node& item : node) items.push_back(item);
  } else {
    items.push_back(node);
  }
  for (const YAML::Node& item : items) {
    TRY_ASSIGN(std::string word, scalar(item));
    if (word == "closed") continue;
    TRY_ASSIGN(Verdict verdict, parse_acceptable(word));
    policy.accept.push_back(verdict);
  }
  return {};
}

Result<void> read_scope(const YAML::Node& node, Policy& policy) {
  TRY_ASSIGN(std::string word, scalar(node));
  if (word != "port" && word != "felix") return usage("scope is port or felix");
  policy.scope = word == "felix" ? Policy::Scope::felix : Policy::Scope::port;
  return {};
}

Result<void> read_basis(const YAML::Node& node, Policy& policy) {
  TRY_ASSIGN(std::string word, scalar(node));
  for (Basis basis : {Basis::inside, Basis::before_after, Basis::network}) {
    if (word == to_string(basis)) {
      policy.require_basis = basis;
      return {};
    }
  }
  return usage("requireBasis is inside, before-after or network");
}

Result<void> read_max_age(const YAML::Node& node, Policy& policy) {
  TRY_ASSIGN(std::string word, scalar(node));
  auto age = parse_duration(word);
  if (!age || *age == Duration{}) return usage("not a duration", "write it like 1h or 30m");
  policy.max_age = *age;
  return {};
}

using Exception = Policy::Exception;

Result<void> read_verdict(const YAML::Node& node, Exception& exception) {
  TRY_ASSIGN(std::string word, scalar(node));
  TRY_ASSIGN(exception.verdict, parse_acceptable(word));
  return {};
}

Result<void> read_until(const YAML::Node& node, Exception& exception) {
  TRY_ASSIGN(std::string word, scalar(node));
  exception.until = parse_rfc3339(word.size() == 10 ? word + "T00:00:00Z" : word);
  if (!exception.until)
    return usage("not a time", "write it like 2026-12-31 or 2026-12-31T18:00:00Z");
  return {};
}

Result<void> read_node_name(const YAML::Node& node, Exception& exception) {
  TRY_ASSIGN(exception.node, scalar(node));
  return {};
}

Result<void> read_why(const YAML::Node& node, Exception& exception) {
  TRY_ASSIGN(exception.why, scalar(node));
  return {};
}

constexpr std::array<Key<Exception>, 4> kExceptionKeys{{{"node", read_node_name},
                                                        {"verdict", read_verdict},
                                                        {"why", read_why},
                                                        {"until", read_until}}};

/// What an exception must say; an `until` may be left out.
Result<void> check_exception(const Exception& exception) {
  if (exception.node.empty()) return usage("an exception needs a node");
  if (exception.why.empty()) return usage("an exception needs a why");
  if (exception.verdict == Verdict::unknown) return usage("an exception needs a verdict");
  return {};
}

Result<void> read_exceptions(const YAML::Node& node, Policy& policy) {
  if (!node.IsSequence()) return usage("expected a list of exceptions");
  for (const YAML::Node& item : node) {
    Exception exception;
    TRY(read_mapping(item, exception, kExceptionKeys));
    if (auto checked = check_exception(exception); !checked) {
      return at(std::move(checked).error(), item, "exceptions");
    }
    policy.exceptions.push_back(std::move(exception));
  }
  return {};
}

Result<void> read_api_version(const YAML::Node& node, Policy& /*policy*/) {
  return exactly(node, "catflap/v1alpha1");
}
Result<void> read_kind(const YAML::Node& node, Policy& /*policy*/) {
  return exactly(node, "Policy");
}

constexpr std::array<Key<Policy>, 7> kPolicyKeys{{{"apiVersion", read_api_version},
                                                  {"kind", read_kind},
                                                  {"want", read_want},
                                                  {"scope", read_scope},
                                                  {"exceptions", read_exceptions},
                                                  {"requireBasis", read_basis},
                                                  {"maxAge", read_max_age}}};

}  // namespace

Result<Verdict> parse_acceptable(std::string_view word) {
  std::vector<std::string> names;
  for (Verdict verdict : kAcceptable) {
    if (word == to_string(verdict)) return verdict;
    names.emplace_back(to_string(verdict));
  }
  std::string near = nearest(word, names);
  return usage(fmt::format("{} cannot be accepted", printable(word, 40)),
               near.empty() ? fmt::format("one of {}", fmt::join(names, ", "))
                            : fmt::format("did you mean {}?", near));
}

Result<Policy> parse_policy(const std::string& text, const std::string& name) {
  if (text.size() > kMaxBytes) return usage(fmt::format("{}: larger than 1 MiB", name));
  Policy policy;
  try {
    YAML::Node root = YAML::Load(text);
    if (root.IsNull()) return usage(name + ": the policy is empty", "want: closed");
    if (auto done = read_mapping(root, policy, kPolicyKeys); !done) {
      return std::move(done).error().with_context(name);
    }
  } catch (const YAML::Exception& thrown) {
    return usage(fmt::format("{}: line {}: {}", name, thrown.mark.line + 1, thrown.msg));
  }
  return policy;
}

}  // namespace catflap::app
