#include "app/planning.hpp"

#include "app/exit_code.hpp"
#include "base/json_read.hpp"
#include "render/style.hpp"

namespace catflap::app {
namespace {

std::optional<Message> finding_of(const act::Journal& journal, TimePoint server_now) {
  if (!journal.run || !journal.run->unfinished()) return std::nullopt;
  // A run that is at work is no interrupted one.
  if (journal.lock && server_now - journal.lock->renewed_at < act::kLockStale) return std::nullopt;
  const act::JournalRun& run = *journal.run;
  return Message{
      "CF0048",
      {{"user", run.user}, {"time", run.started_at ? render::clock_text(*run.started_at) : "?"}}};
}

TimePoint server_now(Session& session) {
  return session.runtime().clock.now() + session.api().clock_skew();
}

}  // namespace

Result<Planned> make_planned(Session& session, const std::vector<std::string>& vantages) {
  Planned planned;
  TRY_ASSIGN(planned.sight, session.diagnose(vantages));
  const ClusterFacts& facts = planned.sight.facts;
  PlanOptions options = session.options().plan;
  std::optional<Message> interrupted;
  if (!facts.daemon_sets.empty()) {
    // A journal that may not be read is not an obstacle to a plan; close needs it and says so
    // itself.
    auto found = act::find_journal(session.api(), facts);
    if (found && found->journal) {
      const act::Journal& journal = *found->journal;
      options.own_pending = act::own_pending(journal, facts);
      if (journal.run && journal.run->unfinished()) planned.unfinished = journal.run;
      interrupted = finding_of(journal, server_now(session));
    } else if (!found && found.error().kind == ErrorKind::refused) {
      return std::move(found).error();
    }
  }
  planned.plan = make_plan(facts, planned.sight.verdict, options);
  if (interrupted) planned.plan.findings.push_back(*std::move(interrupted));
  return planned;
}

int exit_code_of(const Planned& planned) {
  if (!planned.plan.refusals.empty()) return kExitRefused;
  if (!planned.plan.steps.empty()) return kExitOpen;
  const ClusterVerdict& verdict = planned.sight.verdict;
  const auto unknown = verdict.counts.find(Verdict::unknown);
  const bool cannot_tell =
      verdict.nodes.empty() || (unknown != verdict.counts.end() && unknown->second > 0);
  return cannot_tell ? kExitUnknown : kExitOk;
}

std::optional<Message> interrupted_run(Session& session, const ClusterFacts& facts) {
  if (facts.daemon_sets.empty()) return std::nullopt;
  const auto found = act::find_journal(session.api(), facts);
  if (!found || !found->journal) return std::nullopt;
  return finding_of(*found->journal, server_now(session));
}

Result<ApprovedPlan> parse_plan_file(const std::string& text, const std::string& name) {
  const Error bad{.kind = ErrorKind::usage,
                  .what = "is not a plan",
                  .subject = name,
                  .hint = "make one with: catflap plan -o json > " + name};
  boost::json::error_code failed;
  const boost::json::value document = boost::json::parse(text, failed);
  const boost::json::object* plan = failed ? nullptr : document.if_object();
  if (plan == nullptr || text_at(*plan, {"kind"}) != "Plan") return bad;
  ApprovedPlan approved{.digest = text_at(*plan, {"digest"})};
  const boost::json::object* options = object_at(*plan, {"options"});
  if (approved.digest.empty() || options == nullptr) return bad;
  approved.options.in_place = true_at(*options, {"inPlace"});
  approved.options.include_pending = true_at(*options, {"includePending"});
  approved.options.override_owner = true_at(*options, {"overrideOwner"});
  for (const boost::json::value& vantage : array_at(*options, {"from"}))
    if (const auto* word = vantage.if_string()) approved.from.emplace_back(*word);
  return approved;
}

}  // namespace catflap::app
