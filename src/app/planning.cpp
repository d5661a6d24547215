#include "app/planning.hpp"

#include "act/journal.hpp"

namespace catflap::app {

Result<Planned> make_planned(Session& session) {
  Planned planned;
  TRY_ASSIGN(planned.sight, session.diagnose({"direct", "exec"}));
  const ClusterFacts& facts = planned.sight.facts;
  PlanOptions options = session.options().plan;
  if (!facts.daemon_sets.empty()) {
    // A journal that may not be read is not an obstacle to a plan; close needs it and says so
    // itself.
    auto journal = act::read_journal(session.api(), act::journal_namespace(facts));
    if (journal && journal->has_value()) {
      options.own_pending = act::own_pending(**journal, facts);
      planned.unfinished = (*journal)->run && (*journal)->run->unfinished();
    } else if (!journal && journal.error().kind == ErrorKind::refused) {
      return std::move(journal).error();
    }
  }
  planned.plan = make_plan(facts, planned.sight.verdict, options);
  return planned;
}

Result<std::string> digest_of_plan_file(const std::string& text, const std::string& name) {
  const Error bad{.kind = ErrorKind::usage,
                  .what = "is not a plan",
                  .subject = name,
                  .hint = "make one with: catflap plan -o json > " + name};
  boost::json::error_code failed;
  const boost::json::value document = boost::json::parse(text, failed);
  if (failed || !document.is_object()) return bad;
  const boost::json::value* kind = document.get_object().if_contains("kind");
  const boost::json::value* digest = document.get_object().if_contains("digest");
  if (kind == nullptr || *kind != "Plan" || digest == nullptr || !digest->is_string()) return bad;
  return std::string(digest->get_string());
}

}  // namespace catflap::app
