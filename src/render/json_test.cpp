// Documents: goldens (which tests/schema_check.py holds against schemas/), and what must survive
// hostile bytes.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "render/documents.hpp"
#include "render/explain.hpp"
#include "render/model_json.hpp"
#include "render/probe_line.hpp"
#include "render/samples_test.hpp"
#include "support/golden.hpp"

namespace catflap::render {
namespace {

using namespace catflap::test;

RunInfo run_of(const Sample& sample) {
  return {.facts = &sample.facts, .started = kNow, .finished = kNow + std::chrono::seconds{2}};
}

/// Goldens must not change with the version.
std::string stable(json::object document) {
  document["metadata"].as_object()["catflap"] = "0.0.0";
  return to_json_text(document);
}

std::string fake_sha256(std::string_view bytes) {
  return fmt::format("{:064x}", bytes.size());
}

EvidenceInput evidence_of(const Sample& sample, const Policy& policy, const ChangeView& change,
                          std::span<const Reach> before) {
  return {.seen = sample.seen(),
          .policy = policy,
          .purpose = "close",
          .change = &change,
          .before = before,
          .file = "/tmp/e.json"};
}

TEST(Documents, Diagnosis) {
  const Sample sample =
      sample_of({exposed_node("n1", 0), closed_node("n2", 1), unknown_node("n3", 2)});
  expect_golden("diagnosis.json", stable(diagnosis_document(sample.seen(), run_of(sample))));
}

TEST(Documents, Plan) {
  const Sample sample = three_exposed();
  const PlanOptions options{.include_pending = true};
  const std::vector<std::string> from{"direct", "exec"};
  const PlanMadeWith made_with{options, from};
  expect_golden("plan.json", stable(plan_document(sample_plan(), made_with, run_of(sample))));
}

TEST(Documents, EvidenceBundle) {
  const Sample sample = three_closed();
  Policy policy{.accept = {Verdict::local_only},
                .require_basis = Basis::inside,
                .max_age = std::chrono::hours{1}};
  policy.exceptions = {{"n9", Verdict::protected_, "scraped by the SOC", kNow}};
  const ChangeView change{
      .written = {{"disable-env", sample_plan().steps[0].change.target, true, "audit-1"}},
      .rollouts = {sample_rollout()},
      .journal = "kube-system/catflap-journal",
      .run_id = "run-1",
      .ticket = "CHG-1",
      .held_back = {"disable-felixconfiguration-default"},
      .thaw_commands = {"kubectl patch ..."}};
  const std::vector<Reach> before{felix_answer("n1", address_of(0))};
  const EvidenceInput input = evidence_of(sample, policy, change, before);
  expect_golden("evidence-bundle.json",
                stable(evidence_bundle(input, run_of(sample), fake_sha256, std::string(64, 'a'))));
  expect_golden("evidence.json", stable(evidence_document(input, run_of(sample))));
}

TEST(Documents, RawBytesThatAreNoTextAreBase64) {
  Sample sample = three_closed();
  const json::object bundle =
      evidence_bundle({.seen = sample.seen(), .policy = {}}, run_of(sample), fake_sha256, "");
  std::set<std::string> encodings;
  for (const auto& [id, raw] : bundle.at("raw").as_object())
    encodings.emplace(raw.at("encoding").as_string());
  EXPECT_EQ(encodings, std::set<std::string>{"base64"})
      << "the sample's inside look ends with a bad byte";
}

TEST(Documents, RolloutUndoErrorExplanationVersion) {
  const Sample sample = three_exposed();
  const std::vector<RolloutView> rollouts{sample_rollout()};
  expect_golden("rollout.json", stable(rollout_document(rollouts, run_of(sample))));
  const UndoView undo{.result = "time-up",
                      .journal = "kube-system/catflap-journal",
                      .run = RunView{.id = "run-1", .user = "alice", .started = kNow},
                      .steps = {{"disable-env", "restored", sample_plan().steps[0].change.target,
                                 sample_plan().steps[0].change.after, nullptr, "audit-2"}},
                      .rollouts = rollouts,
                      .still_restarting = 2,
                      .freeze_commands = {"kubectl patch ..."},
                      .error = Error{.kind = ErrorKind::timed_out, .what = "time is up"}};
  expect_golden("undo-result.json", stable(undo_document(undo, run_of(sample))));
  const ChangeView failed{
      .written = {{"disable-env", sample_plan().steps[0].change.target, true, "audit-1"}},
      .rollouts = {sample_rollout()},
      .journal = "kube-system/catflap-journal",
      .run_id = "run-1",
      .still_restarting = 2,
      .error = Error{.kind = ErrorKind::unreachable, .what = "connection refused"}};
  expect_golden("error-change.json",
                stable(failed_change_document(failed, "/tmp/e.json", run_of(sample))));
  const std::vector<Error> errors{{.kind = ErrorKind::usage, .what = "one"},
                                  {.kind = ErrorKind::usage, .what = "two"}};
  expect_golden("error.json", stable(error_document(errors, {.started = kNow, .finished = kNow})));
  const std::vector<const CatalogueRow*> rows{find_row("CF0001")};
  ASSERT_NE(rows[0], nullptr);
  expect_golden("explanation.json",
                stable(explanation_document(rows, {.started = kNow, .finished = kNow})));
  expect_golden("version.json", stable(envelope("Version", {.started = kNow, .finished = kNow})));
}

TEST(Documents, AProbeIsOneLine) {
  Reach reach = felix_answer("n1", *IpAddress::parse("10.0.0.1"));
  reach.product = Product::felix;
  reach.product_mark = "felix_host{host=\"n1\"} 1\xff";
  reach.tls = TlsFacts{.version = "TLSv1.3",
                       .cipher = "TLS_AES_128_GCM_SHA256",
                       .subject = "CN=felix",
                       .issuer = "CN=ca",
                       .names = {"DNS:n1", "IP:10.0.0.1"},
                       .not_before = "2026-01-01T00:00:00.000Z",
                       .not_after = "2027-01-01T00:00:00.000Z",
                       .key = "EC P-256",
                       .sha256 = std::string(64, 'a')};
  reach.phases = {std::chrono::microseconds(1250), std::chrono::microseconds(80), {}};
  const std::string line = probe_json_line({"n1", "7"}, reach);
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  expect_golden("probe.json", to_json_text(json::parse(line)));
}

TEST(Documents, AreValidUtf8WhateverTheNodeSent) {
  Sample sample = three_exposed();
  sample.verdict.nodes[0].reachable[0].felix_host = "n\xff\xfe";
  sample.verdict.nodes[0].reachable[0].detail = "\x01 caf\xc3\xa9";
  const std::string text = to_json_text(diagnosis_document(sample.seen(), run_of(sample)));
  json::error_code bad;
  (void)json::parse(text, bad);
  EXPECT_FALSE(bad) << bad.message();
  EXPECT_NE(text.find("caf\xc3\xa9"), std::string::npos) << "good UTF-8 stays as it is";
}

TEST(Documents, CountsLeaveOutZero) {
  Sample sample = three_exposed();
  sample.verdict.counts[Verdict::closed] = 0;
  const json::value cluster = cluster_json(sample.verdict);
  EXPECT_EQ(json::serialize(cluster.at("counts")), R"({"exposed":3})");
}

TEST(Yaml, ReadsBackAsTheSameValue) {
  const json::value value = json::parse(
      R"({"a":"true","b":true,"c":null,"d":[],"e":{},"f":[{"x":1,"y":[1,[2,3]]},"s: t"],"g":"10.0.0.1:9091","h":"","i k":"- x","j":"multi\nline","k":[[],{}]})");
  EXPECT_EQ(to_yaml_text(value), R"(a: "true"
b: true
c: null
d: []
e: {}
f:
- x: 1
  "y":
  - 1
  -
    - 2
    - 3
- "s: t"
g: "10.0.0.1:9091"
h: ""
"i k": "- x"
j: "multi\nline"
k:
- []
- {}
)");
}

}  // namespace
}  // namespace catflap::render
