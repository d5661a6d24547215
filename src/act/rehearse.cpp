#include "act/rehearse.hpp"

#include "act/apply.hpp"
#include "act/journal_hold.hpp"
#include "act/recover.hpp"

namespace catflap::act {

namespace {

FieldChange change_of(const Step& step) {
  return {
      .target = step.change.target, .expected = step.change.before, .wanted = step.change.after};
}

Result<void> rehearse_lock(const Context& context, const ClusterFacts& facts,
                           const std::string& own_id) {
  TRY_ASSIGN(const auto found, find_journal(context.api, facts));
  if (found.journal) {
    const auto* lock = live_lock_of_another(*found.journal, own_id, context.server_now());
    return lock == nullptr ? Result<void>{} : held_by(*lock, found.namespace_);
  }
  const json::object config_map{
      {"apiVersion", "v1"},
      {"kind", "ConfigMap"},
      {"metadata", json::object{{"name", kJournalName}, {"namespace", found.namespace_}}}};
  auto created =
      context.api.create(kube::kConfigMaps, found.namespace_, config_map, {.dry_run = true});
  if (!created) return journal_error(std::move(created).error(), found.namespace_);
  return {};
}

}  // namespace

Result<void> rehearse_rights(const Context& context, const Plan& plan) {
  for (const auto& step : plan.steps) {
    auto tried = apply_field(context, change_of(step), {.dry_run = true});
    if (!tried && tried.error().kind == ErrorKind::not_permitted)
      return std::move(tried).error().with_context("nothing was written");
  }
  return {};
}

Result<void> rehearse_close(const Context& context, const CloseInput& input,
                            const CloseSeams& seams, const CloseOptions& options,
                            std::vector<WrittenStep>& said) {
  TRY(rehearse_lock(context, input.facts, options.lock.holder.id));
  TRY(check_plan(context.api, input.plan));
  for (const auto& step : input.plan.steps) {
    if (seams.progress) seams.progress({.stage = Progress::Stage::step, .step_id = step.id});
    TRY_ASSIGN(const auto applied, apply_field(context, change_of(step), {.dry_run = true}));
    said.push_back({step.id, step.change.target, applied.written, applied.audit_id});
  }
  return {};
}

}  // namespace catflap::act
