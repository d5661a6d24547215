// The words for what is declared, and the one-line dump that tests and `-o wide` read.
#include "core/model/declared.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace catflap {
namespace {

std::string value_text(bool value) {
  return value ? "true" : "false";
}
std::string value_text(int value) {
  return std::to_string(value);
}
std::string value_text(const std::string& value) {
  return value.empty() ? "*" : printable(value);
}
std::string value_text(ClientAuth value) {
  return to_string(value);
}

std::string source_text(Layer layer, const Source& source) {
  std::string text = to_string(layer);
  const std::string_view field = source.field;
  if (layer == Layer::env) {
    text = source.field.empty() ? text : printable(field);
    if (source.kind == "ConfigMap" || source.kind == "Secret") {
      text += fmt::format(" of {} {}", source.kind, source.name);
    }
    return text;
  }
  if (layer == Layer::fc_node || layer == Layer::fc_selector || layer == Layer::file) {
    text += source.name.empty() ? "" : " " + printable(source.name);
  }
  return field.empty() ? text : text + " " + printable(field);
}

std::string masks_text(const std::vector<Masked>& masked) {
  if (masked.empty()) return "";
  std::string text = " (masks ";
  for (const Masked& m : masked) {
    if (&m != &masked.front()) text += ", ";
    text += fmt::format("{}:{}", to_string(m.layer), printable(m.raw));
  }
  return text + ")";
}

template <class T>
std::string param_text(const char* name, const Param<T>& param) {
  std::string text = fmt::format("{}={}", name, param.value ? value_text(*param.value) : "?");
  if (param.state != ParamState::set) text += fmt::format(" {}", to_string(param.state));
  if (param.invalid) text += fmt::format(" (invalid \"{}\")", printable(param.raw));
  text += " <- " + source_text(param.layer, param.source) + masks_text(param.masked);
  if (!param.why.empty()) text += ": " + printable(param.why);
  return text;
}

/// Nothing to tell: the compiled default, or a parameter that this version does not have.
template <class T>
bool is_quiet(const Param<T>& param) {
  const bool plain = param.state == ParamState::set || param.state == ParamState::unsupported;
  return plain && param.layer == Layer::compiled;
}

template <class T>
void append_unless_quiet(std::string& text, const char* name, const Param<T>& param) {
  if (!is_quiet(param)) text += "; " + param_text(name, param);
}

}  // namespace

Switch enabled_switch(const Declared& declared) {
  if (declared.enabled.state != ParamState::set || !declared.enabled.value) {
    return Switch::undecided;
  }
  return *declared.enabled.value ? Switch::on : Switch::off;
}

bool host_is_loopback(const std::string& host) {
  if (equal_ignoring_case(host, "localhost")) return true;
  const auto address = IpAddress::parse(host);
  return address && address->is_loopback();
}

const char* to_string(Layer layer) {
  switch (layer) {
    case Layer::env:
      return "env";
    case Layer::file:
      return "file";
    case Layer::fc_node:
      return "fc-node";
    case Layer::fc_selector:
      return "fc-selector";
    case Layer::fc_default:
      return "fc-default";
    case Layer::compiled:
      return "compiled";
    case Layer::build:
      return "build";
  }
  return "";
}

const char* to_string(ParamState state) {
  switch (state) {
    case ParamState::set:
      return "set";
    case ParamState::ambiguous:
      return "ambiguous";
    case ParamState::unreadable:
      return "unreadable";
    case ParamState::unsupported:
      return "unsupported";
  }
  return "";
}

const char* to_string(ClientAuth auth) {
  switch (auth) {
    case ClientAuth::no_client_cert:
      return "NoClientCert";
    case ClientAuth::verify_if_given:
      return "VerifyClientCertIfGiven";
    case ClientAuth::require_any:
      return "RequireAnyClientCert";
    case ClientAuth::require_and_verify:
      return "RequireAndVerifyClientCert";
  }
  return "";
}

std::string dump(const Declared& declared) {
  std::string text = param_text("enabled", declared.enabled);
  append_unless_quiet(text, "port", declared.port);
  append_unless_quiet(text, "host", declared.host);
  append_unless_quiet(text, "tls", declared.tls);
  // Whom Felix asks for a certificate matters as soon as it has one itself.
  if (!is_quiet(declared.tls)) {
    text += "; " + param_text("auth", declared.client_auth);
  } else if (declared.client_auth.layer != Layer::compiled) {
    append_unless_quiet(text, "auth", declared.client_auth);
  }
  if (declared.ca_file_set.value_or(false)) text += "; ca";
  for (const Message& note : declared.notes) text += " [" + note.code + "]";
  return text;
}

}  // namespace catflap
