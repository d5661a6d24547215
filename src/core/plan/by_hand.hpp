// The kubectl command that does what a step does, ready to paste into a shell.
#pragma once

#include <string>
#include <string_view>

#include "core/model/plan.hpp"
#include "core/plan/env_edit.hpp"

namespace catflap {

/// One word of a POSIX shell: quoted only where it has to be.
[[nodiscard]] std::string shell_word(std::string_view text);

[[nodiscard]] std::string by_hand_env(const Target& target, const EnvEdit& edit);

/// `after`: false for the spec's field; text for an annotation, null to remove it.
[[nodiscard]] std::string by_hand_felixconfiguration(const Target& target,
                                                     const json::value& after);

/// At an Installation of the tigera operator.
[[nodiscard]] std::string by_hand_installation(const Target& target);

/// The annotation's key of a field metadata.annotations[KEY]; "" if it is another field.
[[nodiscard]] std::string annotation_key(std::string_view field);

}  // namespace catflap
