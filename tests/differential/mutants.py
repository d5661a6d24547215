"""Resolvers that each have one rule wrong. A differential test that lets one of them pass does not test that rule."""

import dataclasses
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import changed_build  # noqa: E402


@dataclasses.dataclass(frozen=True)
class Mutant:
    what: str  # in which …
    file: str  # below src/core/resolve
    right: str  # must stand there exactly once
    wrong: str


MUTANTS = [
    Mutant("names keep their case", "values.cpp", "return felix_lower(name) == to_lower(parameter);",
           "return name == parameter;"),
    Mutant("underscores in env names do not matter", "values.cpp", "const std::string name = felix_lower(variable);",
           "std::string name = felix_lower(variable);\n"
           '  if (name.starts_with(kEnvPrefix)) { std::erase(name, \'_\'); name.insert(5, "_"); }'),
    Mutant("the first of two entries counts", "env.cpp", "const bool again = before != variables_.end() && before->second.from_list;",
           "const bool again = before != variables_.end() && before->second.from_list; if (again) return;"),
    Mutant("$(VAR) stays as it is", "env.cpp", "if (!text.empty()) return expanded(text, own);", 'if (!text.empty()) return {text, "", own};'),
    Mutant("$$ does not protect", "expand.cpp", "out += '$';\n      continue;", "--i;\n      continue;"),
    Mutant("one of two spellings is certain", "layers.cpp", "    if (!falls_through) return endings;",
           "    if (!falls_through) return {endings.front()};"),
    Mutant("empty is false", "layers.cpp", "      if (candidate.raw.empty()) {\n        falls_through = true;\n      } else {",
           "      {"),
    Mutant("an invalid value falls through", "layers.cpp", "      if (candidate.raw.empty()) {",
           '      if (candidate.raw.empty() || candidate.raw == "on" || candidate.raw == "tru") {'),
    Mutant("the file is below FelixConfigurations", "sources.cpp",
           "return {env_layer(parameter), file_layer(parameter), node_layer(parameter),\n          selector_layer(parameter), default_layer(parameter)};",
           "return {env_layer(parameter), node_layer(parameter),\n          selector_layer(parameter), default_layer(parameter), file_layer(parameter)};"),
    Mutant("default is above node.NAME", "sources.cpp",
           "return {env_layer(parameter), file_layer(parameter), node_layer(parameter),\n          selector_layer(parameter), default_layer(parameter)};",
           "return {env_layer(parameter), file_layer(parameter), default_layer(parameter), node_layer(parameter),\n          selector_layer(parameter)};"),
    Mutant("objects of other nodes count", "sources.cpp", 'if (candidate.name == name) return &candidate;',
           'if (candidate.name == name || (name != "default" && candidate.name.starts_with(kNodePrefix))) return &candidate;'),
    Mutant("an object of another name counts", "sources.cpp", 'if (candidate.name == name) return &candidate;',
           'if (candidate.name == name || (name == "default" && candidate.name == "zone-a")) return &candidate;'),
    Mutant("none is true", "values.cpp", '{"true", "1", "yes", "y", "t"}', '{"true", "1", "yes", "y", "t", "none"}'),
    Mutant("on is a word", "values.cpp", '{"true", "1", "yes", "y", "t"}', '{"true", "1", "yes", "y", "t", "on"}'),
    Mutant("t is no word", "values.cpp", '{"true", "1", "yes", "y", "t"}', '{"true", "1", "yes"}'),
    Mutant("blanks are trimmed", "values.cpp", "const std::string text = to_lower(raw);",
           "const std::string text = to_lower(raw.substr(raw.find_first_not_of(' ') % (raw.size() + 1)));"),
    Mutant("port 0 is the default", "values.cpp", "  return static_cast<int>(*value);",
           "  if (*value == 0) return std::nullopt;\n  return static_cast<int>(*value);"),
    Mutant("none is the default port", "values.cpp", "if (is_none(raw)) return 0;", "if (is_none(raw)) return 9091;"),
    Mutant("a leading 0 is decimal", "values.cpp", "return {8, text.substr(1)};", "return {10, text.substr(1)};"),
    Mutant("0x is not known", "values.cpp", "if (letter == 'x') return {16, text.substr(2)};", ""),
    Mutant("0b is not known", "values.cpp", "if (letter == 'b') return {2, text.substr(2)};", ""),
    Mutant("underscores may stand anywhere", "values.cpp", "if (!underscores_are_fine(text, number)) return std::nullopt;", ""),
    Mutant("a sign is invalid", "values.cpp", "if (negative || raw.starts_with('+')) raw.remove_prefix(1);", ""),
    Mutant("the port has no upper bound", "values.cpp", "*value > kMaxPort || ", ""),
    Mutant("a host may be long", "values.cpp", "raw.size() > kMaxHostLength", "raw.size() > 2 * kMaxHostLength"),
    Mutant("a host may have brackets", "values.cpp", 'std::string_view{":._+-"}', 'std::string_view{":._+-[]"}'),
    Mutant("only the first section counts", "felix_cfg.cpp", "for (const auto& [key, value] : keys) merged[key] = value;",
           "for (const auto& [key, value] : keys) merged[key] = value;\n      break;"),
    Mutant("quotes stay", "felix_cfg.cpp", "line = line.substr(1, line.size() - 2);", ""),
    Mutant("comments stay", "felix_cfg.cpp", 'line = trim(line.substr(0, line.find_first_of("#;")));', ""),
    Mutant("an unclosed section is skipped", "felix_cfg.cpp",
           'if (close == std::string_view::npos) return refused("unclosed section", line);',
           "if (close == std::string_view::npos) return {};"),
    Mutant("the spec outranks annotations", "felixconfiguration.cpp", "annotation.replaces_spec && name == parameter.name", "false"),
    Mutant("an empty annotation leaves the spec", "felixconfiguration.cpp", "annotation.replaces_spec && name == parameter.name",
           "annotation.replaces_spec && name == parameter.name && !annotation.value.empty()"),
    Mutant("embedded metadata renames the object", "felixconfiguration.cpp", "  out.broken = read.broken;\n",
           "  out.broken = read.broken;\n"
           "  if (const auto found = read.outer.find(std::string{kMetadataAnnotation}); found != read.outer.end()) {\n"
           "    boost::system::error_code error;\n"
           "    const auto inner = json::parse(found->second, error);\n"
           '    if (!error && inner.is_object() && inner.get_object().contains("name")) out.name = text_at(inner.get_object(), {"name"});\n'
           "  }\n"),
    Mutant("embedded null is broken", "embedded.cpp", "if (parsed.is_null()) return metadata;",
           'if (parsed.is_null()) return refused("null");'),
    Mutant("embedded annotations are not read", "felixconfiguration.cpp", "read.embedded = std::move(embedded->annotations);", ""),
    Mutant("outer annotations stay beside embedded ones", "felixconfiguration.cpp",
           "if (overrides && read.embedded.contains(key)) continue;", ""),
    Mutant("broken embedded metadata is ignored", "felixconfiguration.cpp", "    read.broken = to_string(embedded.error());\n", ""),
    Mutant("a field of a wrong type is ignored", "felixconfiguration.cpp",
           'broken = fmt::format("spec.{} has a wrong type", parameter.spec_field);', "(void)broken;"),
]


def build_mutant(root, mutant):
    """The program of the resolver that has this rule wrong."""
    source = root / "src/core/resolve" / mutant.file
    text = source.read_text()
    if text.count(mutant.right) != 1:
        raise SystemExit(f"tests/differential/mutants.py: {mutant.file} does not have this once: {mutant.right}")
    folder = root / "build/mutants" / "".join(c if c.isalnum() else "-" for c in mutant.what)
    return changed_build.build(root, source, text.replace(mutant.right, mutant.wrong), "resolve_cases", folder)
