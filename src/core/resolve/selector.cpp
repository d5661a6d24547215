// A tokenizer and a recursive-descent parser that evaluates as it goes. || binds weakest, !
// strongest. The one trap: whether a word is a label or an operator depends on the token before it,
// so a label may be called "in".
#include "core/resolve/selector.hpp"

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace catflap {
namespace {

enum class Token {
  label,
  string,
  left_brace,
  right_brace,
  comma,
  equal,
  not_equal,
  in,
  not_,
  not_in,
  contains,
  starts_with,
  ends_with,
  all,
  has,
  left_paren,
  right_paren,
  and_,
  or_,
  end,
};

struct Word {
  Token token;
  std::string text;
};

constexpr std::size_t kMaxLabelLength = 512;
constexpr int kMaxDepth = 100;

Error malformed(std::string what) {
  return Error{.kind = ErrorKind::malformed_input, .what = std::move(what)};
}

bool is_label_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '/' || c == '-';
}

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view input) : rest_(input) {}

  Result<std::vector<Word>> run() {
    for (skip_blanks(); !rest_.empty(); skip_blanks()) {
      TRY(take_word());
    }
    words_.push_back({Token::end, ""});
    return std::move(words_);
  }

 private:
  void skip_blanks() {
    while (rest_.starts_with(' ') || rest_.starts_with('\t')) rest_.remove_prefix(1);
  }

  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  Result<void> take_word() {
    static constexpr std::pair<std::string_view, Token> kSymbols[] = {
        {"(", Token::left_paren},  {")", Token::right_paren}, {"{", Token::left_brace},
        {"}", Token::right_brace}, {",", Token::comma},       {"==", Token::equal},
        {"!=", Token::not_equal},  {"!", Token::not_},        {"&&", Token::and_},
        {"||", Token::or_},
    };
    for (const auto& [text, token] : kSymbols) {
      if (take(text)) return push(token);
    }
    if (rest_.front() == '"' || rest_.front() == '\'') return take_string();
    if (!words_.empty() && words_.back().token == Token::label) return take_operator();
    return take_call_or_label();
  }

  Result<void> push(Token token, std::string text = "") {
    words_.push_back({token, std::move(text)});
    return {};
  }

  Result<void> take_string() {
    const auto end = rest_.find(rest_.front(), 1);
    if (end == std::string_view::npos) return malformed("unterminated string");
    std::string text{rest_.substr(1, end - 1)};
    rest_.remove_prefix(end + 1);
    return push(Token::string, std::move(text));
  }

  Result<void> take_operator() {
    if (take_keyword({"contains"})) return push(Token::contains);
    if (take_keyword({"starts", "with"})) return push(Token::starts_with);
    if (take_keyword({"ends", "with"})) return push(Token::ends_with);
    if (take_keyword({"not", "in"})) return push(Token::not_in);
    if (take_keyword({"in"})) return push(Token::in);
    return malformed(fmt::format("no operator after label {}", words_.back().text));
  }

  /// Blanks between the words are optional ("notin"), but a label character must not follow the
  /// last one.
  bool take_keyword(std::initializer_list<std::string_view> parts) {
    const std::string_view before = rest_;
    bool taken = true;
    for (const std::string_view part : parts) {
      taken = taken && take(part);
      if (parts.size() > 1) skip_blanks();
    }
    if (!rest_.empty() && is_label_character(rest_.front())) taken = false;
    if (!taken) rest_ = before;
    return taken;
  }

  Result<void> take_call_or_label() {
    if (take("has(")) {
      skip_blanks();
      TRY_ASSIGN(std::string label, take_label());
      return close_call(Token::has, std::move(label));
    }
    if (take("all(") || take("global(")) return close_call(Token::all, "");
    TRY_ASSIGN(std::string label, take_label());
    return push(Token::label, std::move(label));
  }

  Result<void> close_call(Token token, std::string label) {
    skip_blanks();
    if (!take(")")) return malformed("missing ) after has(, all( or global(");
    return push(token, std::move(label));
  }

  Result<std::string> take_label() {
    std::size_t length = 0;
    while (length < rest_.size() && is_label_character(rest_[length])) ++length;
    if (length == 0 || length > kMaxLabelLength) return malformed("expected a label");
    std::string label{rest_.substr(0, length)};
    rest_.remove_prefix(length);
    return label;
  }

  std::string_view rest_;
  std::vector<Word> words_;
};

class Evaluator {
 public:
  Evaluator(std::vector<Word> words, const std::map<std::string, std::string>& labels)
      : words_(std::move(words)), labels_(labels) {}

  Result<bool> run() {
    if (peek() == Token::end) return true;
    TRY_ASSIGN(const bool matches, any_of_terms(0));
    if (peek() != Token::end) return malformed("unexpected text after the selector");
    return matches;
  }

 private:
  [[nodiscard]] Token peek() const { return words_[at_].token; }
  bool take(Token token) {
    if (peek() != token) return false;
    ++at_;
    return true;
  }

  Result<bool> any_of_terms(int depth) {
    TRY_ASSIGN(bool matches, all_of_operations(depth));
    while (take(Token::or_)) {
      TRY_ASSIGN(const bool next, all_of_operations(depth));
      matches = matches || next;
    }
    return matches;
  }

  Result<bool> all_of_operations(int depth) {
    TRY_ASSIGN(bool matches, operation(depth));
    while (take(Token::and_)) {
      TRY_ASSIGN(const bool next, operation(depth));
      matches = matches && next;
    }
    return matches;
  }

  Result<bool> operation(int depth) {
    bool negated = false;
    while (take(Token::not_)) negated = !negated;
    TRY_ASSIGN(const bool matches, positive_operation(depth));
    return matches != negated;
  }

  Result<bool> positive_operation(int depth) {
    if (take(Token::all)) return true;
    if (peek() == Token::has) return labels_.contains(words_[at_++].text);
    if (peek() == Token::label) return comparison();
    if (!take(Token::left_paren)) return malformed("expected a label, has(), all() or (");
    if (depth == kMaxDepth) return malformed("too many parentheses");
    TRY_ASSIGN(const bool matches, any_of_terms(depth + 1));
    if (!take(Token::right_paren)) return malformed("expected )");
    return matches;
  }

  Result<bool> comparison() {
    const auto found = labels_.find(words_[at_++].text);
    const std::string* value = found == labels_.end() ? nullptr : &found->second;
    const Token op = peek();
    if (op == Token::in || op == Token::not_in) {
      ++at_;
      TRY_ASSIGN(const bool inside, set_holds(value));
      return inside == (op == Token::in);
    }
    const std::string& operand = words_[std::min(at_ + 1, words_.size() - 1)].text;
    bool matches = false;
    switch (op) {
      case Token::equal:
        matches = value && *value == operand;
        break;
      case Token::not_equal:
        matches = !value || *value != operand;
        break;
      case Token::contains:
        matches = value && value->find(operand) != std::string::npos;
        break;
      case Token::starts_with:
        matches = value && value->starts_with(operand);
        break;
      case Token::ends_with:
        matches = value && value->ends_with(operand);
        break;
      default:
        return malformed("expected an operator after the label");
    }
    ++at_;
    if (!take(Token::string)) return malformed("expected a string in quotes");
    return matches;
  }

  /// { 'a', 'b' }: the set may be empty, and a comma may stand before the brace.
  Result<bool> set_holds(const std::string* value) {
    if (!take(Token::left_brace)) return malformed("expected {");
    bool holds = false;
    while (peek() == Token::string) {
      holds = holds || (value && *value == words_[at_].text);
      ++at_;
      if (!take(Token::comma)) break;
    }
    if (!take(Token::right_brace)) return malformed("expected }");
    return holds;
  }

  std::vector<Word> words_;
  const std::map<std::string, std::string>& labels_;
  std::size_t at_ = 0;
};

}  // namespace

Result<bool> selector_matches(std::string_view selector,
                              const std::map<std::string, std::string>& labels) {
  TRY_ASSIGN(std::vector<Word> words, Tokenizer{selector}.run());
  return Evaluator{std::move(words), labels}.run();
}

}  // namespace catflap
