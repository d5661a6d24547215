#include "render/documents.hpp"

#include "core/plan/owned.hpp"
#include "render/model_json.hpp"

namespace catflap::render {
namespace {

json::array texts(std::span<const std::string> list) {
  json::array array;
  for (const std::string& text : list) array.emplace_back(safe_text(text));
  return array;
}

json::object owner_json(const Owner& owner) {
  return {{"class", to_string(owner.class_)},
          {"name", owner.name},
          {"mark", owner.mark},
          {"cycle", owner.cycle},
          {"changeAtSource", owner.change_at_source},
          {"paste", text_or_null(owner.paste)}};
}

/// Of everything that a plan would touch.
json::array owners_json(const ClusterFacts& facts) {
  json::array owners;
  for (const OwnedObject& object : owned_objects(facts)) {
    for (const Owner& owner : object.owners) {
      auto one = owner_json(owner);
      one["object"] = safe_text(object.name);
      owners.push_back(std::move(one));
    }
  }
  return owners;
}

json::value daemon_set_json(const DaemonSetFacts& set, const ClusterFacts& facts) {
  json::array owners;
  for (const Owner& owner : owners_of(set.object, facts)) owners.push_back(owner_json(owner));
  return {{"namespace", set.namespace_},
          {"name", set.name},
          {"container", set.felix_container},
          {"image", safe_text(set.image)},
          {"owners", std::move(owners)}};
}

json::value look_json(const Look& look) {
  json::array skipped;
  for (const auto& one : look.skipped) {
    skipped.push_back(
        {{"vantage", one.vantage}, {"code", one.code}, {"detail", text_or_null(one.detail)}});
  }
  return {{"startedAt", to_rfc3339(look.started)},
          {"finishedAt", to_rfc3339(look.finished)},
          {"skipped", std::move(skipped)}};
}

json::array consumers_json(const Surroundings& around) {
  json::array array;
  for (const Consumer& consumer : around.consumers) {
    array.push_back({{"kind", consumer.kind},
                     {"namespace", text_or_null(consumer.namespace_)},
                     {"name", consumer.name},
                     {"port", text_or_null(consumer.port)},
                     {"via", consumer.via}});
  }
  return array;
}

json::array not_known_json(const std::vector<NotKnown>& list) {
  json::array array;
  for (const NotKnown& one : list)
    array.push_back({{"kind", one.kind}, {"why", safe_text(one.why)}});
  return array;
}

void add_seen(const Seen& seen, json::object& document) {
  document["cluster"] = cluster_json(seen.verdict);
  document["nodes"] = to_json_array(seen.verdict.nodes);
  json::array sets, looks;
  for (const DaemonSetFacts& set : seen.facts.daemon_sets)
    sets.push_back(daemon_set_json(set, seen.facts));
  for (const Look& look : seen.looks) looks.push_back(look_json(look));
  document["daemonSets"] = std::move(sets);
  document["owners"] = owners_json(seen.facts);
  document["looks"] = std::move(looks);
  document["consumers"] = consumers_json(seen.facts.surroundings);
  document["consumersNotKnown"] = not_known_json(seen.facts.surroundings.consumers_not_known);
}

json::value target_json(const Target& target) {
  return {{"apiVersion", target.api_version},
          {"kind", target.kind},
          {"namespace", text_or_null(target.namespace_)},
          {"name", target.name},
          {"uid", text_or_null(target.uid)},
          {"container", text_or_null(target.container)},
          {"field", target.field}};
}

json::value step_json(const Step& step) {
  return {{"id", step.id},
          {"title", to_json(step.title)},
          {"target", target_json(step.change.target)},
          {"before", step.change.before},
          {"after", step.change.after},
          {"resourceVersion", text_or_null(step.change.resource_version)},
          {"restart", to_string(step.restart)},
          {"nodes", texts(step.nodes)},
          {"byHand", text_or_null(step.by_hand)}};
}

json::value error_or_null(const std::optional<Error>& error) {
  return error ? error_json(*error) : json::value(nullptr);
}

json::value rollout_json(const RolloutView& rollout) {
  json::array nodes;
  json::object counts;
  for (const RolloutNodeView& node : rollout.nodes) {
    nodes.push_back({{"name", node.node},
                     {"state", node.state},
                     {"pod", text_or_null(node.pod)},
                     {"reason", text_or_null(node.reason)},
                     {"message", text_or_null(node.message)}});
    json::value& count = counts[node.state];
    count = count.is_null() ? 1 : count.as_int64() + 1;
  }
  return {{"namespace", rollout.namespace_},
          {"name", rollout.name},
          {"end", rollout.end},
          {"complete", rollout.complete},
          {"waitingFor", text_or_null(rollout.waiting_for)},
          {"desired", rollout.desired},
          {"generation", rollout.generation},
          {"observedGeneration", rollout.observed_generation},
          {"onDelete", rollout.on_delete},
          {"counts", std::move(counts)},
          {"elapsedMs", rollout.elapsed.count()},
          {"trouble", text_or_null(rollout.trouble)},
          {"nodes", std::move(nodes)}};
}

json::array rollouts_json(std::span<const RolloutView> rollouts) {
  json::array array;
  for (const RolloutView& rollout : rollouts) array.push_back(rollout_json(rollout));
  return array;
}

json::value change_json(const ChangeView& change) {
  json::array writes;
  for (const WrittenView& one : change.written) {
    writes.push_back({{"id", one.id},
                      {"target", target_json(one.target)},
                      {"written", one.written},
                      {"auditId", text_or_null(one.audit_id)}});
  }
  return {{"writes", std::move(writes)},
          {"rollouts", rollouts_json(change.rollouts)},
          {"journal", text_or_null(change.journal)},
          {"runId", text_or_null(change.run_id)},
          {"resumed", change.resumed},
          {"ticket", text_or_null(change.ticket)},
          {"reason", text_or_null(change.reason)},
          {"heldBack", texts(change.held_back)},
          {"stillRestarting", change.still_restarting},
          {"freeze", texts(change.freeze_commands)},
          {"unfreeze", texts(change.thaw_commands)},
          {"lockProblem", text_or_null(change.release_problem)},
          {"error", error_or_null(change.error)}};
}

json::value run_or_null(const std::optional<RunView>& run) {
  if (!run) return nullptr;
  return {{"id", run->id},
          {"user", text_or_null(run->user)},
          {"ticket", text_or_null(run->ticket)},
          {"reason", text_or_null(run->reason)},
          {"startedAt", run->started ? json::value(to_rfc3339(*run->started)) : nullptr}};
}

const char* result_of(const Plan& plan) {
  if (!plan.refusals.empty()) return "refused";
  return plan.steps.empty() ? "nothing-to-do" : "change-pending";
}

}  // namespace

json::object diagnosis_document(const Seen& seen, const RunInfo& run) {
  json::object document = envelope("Diagnosis", run);
  add_seen(seen, document);
  return document;
}

json::object plan_document(const Plan& plan, const PlanMadeWith& with, const RunInfo& run) {
  json::object document = envelope("Plan", run);
  json::array steps, refusals;
  for (const Step& step : plan.steps) steps.push_back(step_json(step));
  for (const Refusal& refusal : plan.refusals) {
    refusals.push_back(
        {{"message", to_json(refusal.message)}, {"remedy", texts(refusal.remedy_lines)}});
  }
  document["result"] = result_of(plan);
  document["digest"] = plan.digest;
  document["options"] = {{"inPlace", with.options.in_place},
                         {"includePending", with.options.include_pending},
                         {"overrideOwner", with.options.override_owner},
                         {"from", texts(with.from)}};
  document["steps"] = std::move(steps);
  document["refusals"] = std::move(refusals);
  document["warnings"] = to_json_array(plan.warnings);
  document["findings"] = to_json_array(plan.findings);
  document["breaks"] = to_json_array(plan.breaks);
  document["staysUp"] = to_json_array(plan.stays_up);
  document["restartingNodes"] = plan.restarting_nodes;
  document["expectedMs"] = plan.expected.count();
  return document;
}

json::object evidence_document(const EvidenceInput& input, const RunInfo& run) {
  json::object document = envelope("Evidence", run);
  add_seen(input.seen, document);
  document["purpose"] = input.purpose;
  document["policy"] = to_json(input.policy);
  document["change"] = input.change == nullptr ? json::value(nullptr) : change_json(*input.change);
  json::array before;
  for (const Reach& reach : input.before) {
    json::value one = to_json(reach);
    one.as_object()["node"] = reach.node;
    before.push_back(std::move(one));
  }
  document["before"] = std::move(before);
  document["evidenceFile"] = text_or_null(input.file);
  return document;
}

json::object failed_change_document(const ChangeView& change, const std::string& file,
                                    const RunInfo& run) {
  json::object document = error_document({change.error.value_or(Error{})}, run);
  document["change"] = change_json(change);
  document["evidenceFile"] = text_or_null(file);
  return document;
}

json::object rollout_document(std::span<const RolloutView> rollouts, const RunInfo& run) {
  json::object document = envelope("Rollout", run);
  const bool done =
      std::all_of(rollouts.begin(), rollouts.end(), [](const auto& one) { return one.complete; });
  document["result"] = done ? "done" : "not-done";
  document["daemonSets"] = rollouts_json(rollouts);
  return document;
}

json::object undo_document(const UndoView& undo, const RunInfo& run) {
  json::object document = envelope("UndoResult", run);
  json::array steps;
  for (const UndoneView& step : undo.steps) {
    steps.push_back({{"id", step.id},
                     {"result", step.result},
                     {"target", target_json(step.target)},
                     {"from", step.from},
                     {"to", step.to},
                     {"auditId", text_or_null(step.audit_id)}});
  }
  document["result"] = undo.result;
  document["journal"] = text_or_null(undo.journal);
  document["runId"] = undo.run ? text_or_null(undo.run->id) : json::value(nullptr);
  document["run"] = run_or_null(undo.run);
  document["older"] = run_or_null(undo.older);
  document["steps"] = std::move(steps);
  document["rollouts"] = rollouts_json(undo.rollouts);
  document["stillRestarting"] = undo.still_restarting;
  document["freeze"] = texts(undo.freeze_commands);
  document["unfreeze"] = texts(undo.thaw_commands);
  document["lockProblem"] = text_or_null(undo.release_problem);
  document["findings"] = to_json_array(undo.findings);
  document["error"] = error_or_null(undo.error);
  return document;
}

}  // namespace catflap::render
