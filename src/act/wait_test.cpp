// judge_rollout as a table, and the waiting against a cluster that moves.
#include "act/wait.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <sstream>

#include "support/calico_world.hpp"
#include "support/fake_api.hpp"

namespace catflap::act {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using test::CalicoWorld;

std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

/// "a=new" a Ready pod of the newest revision on node a; "a=old"; "a=new/making",
/// "a=new/CrashLoopBackOff", "a=old/leaving"; "a=none" a node that had a pod; "-a" its node is not
/// Ready; "x" its node does not exist; "gen=2" a pod label. What the status says is in `status`:
/// desired/updated/available.
RolloutInput make_input(const std::string& status, const std::string& pods) {
  RolloutInput input;
  auto& set = input.daemon_set;
  set = {.ref = {"ns", "ds"}, .uid = "ds-uid", .generation = 2, .observed_generation = 2};
  for (const auto& word : words(status)) {
    if (word == "unobserved") set.observed_generation = 1;
    if (word == "on-delete") set.on_delete = true;
    if (word == "deleting") set.deleting = true;
    if (word == "no-revisions") input.revisions.reset();
    if (word == "template=2") set.template_generation = "2";
    if (word.find('/') != std::string::npos)
      std::sscanf(word.c_str(), "%d/%d/%d", &set.desired, &set.updated, &set.available);
  }
  if (status.find("no-revisions") == std::string::npos)
    input.revisions = {
        {{"r1", "ds-uid", "old", 1}, {"r2", "ds-uid", "new", 2}, {"r9", "other", "foreign", 9}}};
  input.nodes.emplace();
  for (const auto& word : words(pods)) {
    const auto equals = word.find('=');
    const auto slash = word.find('/');
    const bool not_ready = word[0] == '-';
    const std::string node = word.substr(not_ready, equals - not_ready);
    if (word[0] != 'x')
      (*input.nodes)[node] = {!not_ready, not_ready ? "NodeStatusUnknown" : "", ""};
    const auto hash = word.substr(equals + 1, slash - equals - 1);
    if (hash == "none") {
      input.expected.insert(node);
      continue;
    }
    const auto what = slash == std::string::npos ? "" : word.substr(slash + 1);
    PodState pod{
        .name = "pod-" + node + "-" + hash, .owner_uid = "ds-uid", .node = node, .hash = hash};
    if (hash == "gen2") pod.hash = "whatever", pod.template_generation = "2";
    if (hash == "orphan") pod.owner_uid = "";
    pod.terminating = what == "leaving";
    pod.ready = what.empty() || what == "leaving";
    pod.starting = what == "making";
    if (!pod.ready && !pod.starting) pod.reason = what;
    input.pods.push_back(pod);
  }
  return input;
}

struct JudgeRow {
  const char* status;
  const char* pods;
  const char* want;
};

class Judge : public testing::TestWithParam<JudgeRow> {};

TEST_P(Judge, Rollout) {
  const auto& row = GetParam();
  EXPECT_EQ(dump(judge_rollout(make_input(row.status, row.pods))), row.want)
      << row.status << " | " << row.pods;
}

INSTANTIATE_TEST_SUITE_P(
    Table, Judge,
    testing::Values(
        JudgeRow{"2/2/2", "a=new b=new", "2/2 complete a:done b:done"},
        JudgeRow{"2/1/2", "a=new b=old", "1/2 a:done b:not-started"},
        // The old status says done, and so would the old revision.
        JudgeRow{"unobserved 2/2/2", "a=old b=old", "0/2 a:not-started b:not-started"},
        JudgeRow{"unobserved 2/2/2", "a=new b=new", "0/2 a:not-started b:not-started"},
        JudgeRow{"unobserved template=2 2/2/2", "a=gen2 b=gen2", "2/2 a:done b:done"},
        // All pods are new, the numbers do not agree yet.
        JudgeRow{"2/1/2", "a=new b=new", "2/2 a:done b:done"},
        JudgeRow{"2/2/1", "a=new b=new", "2/2 a:done b:done"},
        JudgeRow{"3/3/3", "a=new b=new", "2/3 a:done b:done"},
        JudgeRow{"2/2/2", "a=new b=none", "1/2 a:done b:creating"},
        // Taken out of the node selector meanwhile: the controller wants one less.
        JudgeRow{"1/1/1", "a=new b=none", "1/1 complete a:done"},
        JudgeRow{"unobserved template=2 1/1/1", "a=gen2 b=none", "1/1 a:done b:creating"},
        JudgeRow{"2/2/1", "a=new b=new/making", "1/2 a:done b:creating"},
        JudgeRow{"2/2/1", "a=new b=new/CrashLoopBackOff",
                 "1/2 a:done b:not-ready(CrashLoopBackOff)"},
        JudgeRow{"2/2/1", "a=new b=new/Unschedulable", "1/2 a:done b:not-ready(Unschedulable)"},
        JudgeRow{"2/1/2", "a=new b=old/leaving", "1/2 a:done b:terminating"},
        // The new pod is Ready beside one that lingers: Felix may still run in that.
        JudgeRow{"2/2/2", "a=new a=old/leaving b=new", "1/2 a:terminating b:done"},
        JudgeRow{"2/2/2", "a=new a=old b=new", "1/2 a:not-started b:done"},
        JudgeRow{"2/1/2", "a=new -b=old", "1/2 a:done b:node-not-ready(NodeStatusUnknown)"},
        JudgeRow{"2/2/2", "a=new -b=new", "1/2 a:done b:node-not-ready(NodeStatusUnknown)"},
        JudgeRow{"1/1/1", "a=new x=old", "1/1 a:done x:node-not-ready(NodeGone)"},
        JudgeRow{"on-delete 2/0/2", "a=old b=old", "0/2 a:on-delete b:on-delete"},
        JudgeRow{"on-delete 2/2/2", "a=new b=new", "2/2 complete a:done b:done"},
        JudgeRow{"1/1/1", "a=new b=orphan", "1/1 complete a:done"},
        JudgeRow{"1/1/1", "a=foreign", "0/1 a:not-started"},
        JudgeRow{"no-revisions 1/1/1", "a=new", "0/1 a:not-started"},
        JudgeRow{"no-revisions template=2 1/1/1", "a=gen2", "1/1 complete a:done"},
        JudgeRow{"deleting 1/1/1", "a=new", "1/1 a:done"}, JudgeRow{"0/0/0", "", "0/0 complete"}));

struct PodRow {
  const char* status;
  const char* want;  // ready/starting/reason/message
};

class ReadPod : public testing::TestWithParam<PodRow> {};

TEST_P(ReadPod, Reason) {
  const json::object pod{{"metadata", {{"name", "p"}}}, {"status", json::parse(GetParam().status)}};
  const auto state = read_pod(pod);
  EXPECT_EQ(state.ready      ? "ready"
            : state.starting ? "starting"
                             : fmt::format("{} | {}", state.reason, state.message),
            GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ReadPod,
    testing::Values(
        PodRow{R"({"conditions":[{"type":"Ready","status":"True"}]})", "ready"},
        PodRow{R"({"phase":"Pending"})", "starting"}, PodRow{R"(7)", "starting"},
        PodRow{
            R"({"containerStatuses":[{"name":"c","state":{"waiting":{"reason":"ContainerCreating"}}}]})",
            "starting"},
        PodRow{
            R"({"containerStatuses":[{"name":"c","state":{"waiting":{"reason":"ImagePullBackOff","message":"no such image"}}}]})",
            "ImagePullBackOff | c: no such image"},
        PodRow{
            R"({"initContainerStatuses":[{"name":"i","state":{"waiting":{"reason":"CrashLoopBackOff"}}}]})",
            "CrashLoopBackOff | i: "},
        PodRow{R"({"initContainerStatuses":[{"name":"i","state":{"terminated":{"exitCode":0}}}]})",
               "starting"},
        PodRow{
            R"({"containerStatuses":[{"name":"c","state":{"terminated":{"exitCode":129,"reason":"Error"}}}]})",
            "ContainerEnded | c: exit code 129 Error"},
        PodRow{
            R"({"containerStatuses":[{"name":"c","ready":false,"restartCount":3,"state":{"running":{}}}]})",
            "ProbeFailing | c: running, its readiness probe does not pass, 3 restarts"},
        PodRow{
            R"({"conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/3 nodes"}]})",
            "Unschedulable | 0/3 nodes"},
        PodRow{R"({"phase":"Failed","reason":"Evicted","message":"disk"})", "Evicted | disk"}));

class Wait : public testing::Test {
 protected:
  void change_template() {
    api.cluster().edit(test::kCalicoNode, [](json::object& set) {
      set["spec"].at("template").at("spec").at("containers").as_array()[0].as_object()["env"] =
          json::parse(R"([{"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"false"}])");
    });
  }
  Result<Rollout> wait(Duration timeout) {
    return wait_rollout(
        context, ref,
        {.timeout = timeout, .progress = [this](const std::vector<Rollout>& rollouts) {
           seen.push_back(dump(rollouts[0]));
         }});
  }

  ManualClock clock;
  kube::FakeApi api{clock};
  CalicoWorld world{api.cluster(), {}};
  Context context{.api = api, .clock = clock};
  DaemonSetRef ref{"kube-system", "calico-node"};
  std::vector<std::string> seen;
  Wait() {
    api.tick = [this] { world.tick(); };
  }
};

TEST_F(Wait, IsDoneAtOnceWhenNothingMoves) {
  const auto rollout = wait(minutes(1)).value();
  EXPECT_EQ(rollout.end, Rollout::End::done);
  EXPECT_EQ(dump(rollout), "3/3 complete node-1:done node-2:done node-3:done");
}

TEST_F(Wait, DoesNotBelieveTheOldStatus) {
  world.controller_delay = seconds(5);
  change_template();
  const auto rollout = wait(minutes(1)).value();
  EXPECT_EQ(rollout.end, Rollout::End::done);
  EXPECT_EQ(world.most_starts(), 1);
  EXPECT_EQ(world.open_nodes(), 0);
  EXPECT_GE(rollout.elapsed, seconds(11));
  EXPECT_THAT(seen.front(), testing::StartsWith("0/3"));
}

TEST_F(Wait, EndsInTimeWithTheList) {
  world.stuck = {"node-2"};
  change_template();
  const auto rollout = wait(seconds(30)).value();
  EXPECT_EQ(rollout.end, Rollout::End::time_up);
  EXPECT_FALSE(rollout.complete);
  EXPECT_EQ(rollout.nodes[1].state, NodeState::creating);
  EXPECT_EQ(rollout.nodes[2].state, NodeState::not_started);
  EXPECT_LE(rollout.elapsed, seconds(31));
}

TEST_F(Wait, AControllerThatSleepsIsNotDone) {
  world.controller_asleep = true;
  change_template();
  EXPECT_EQ(wait(seconds(20))->end, Rollout::End::time_up);
}

TEST_F(Wait, SurvivesBrokenWatches) {
  change_template();
  int ticks = 0;
  api.tick = [&] {
    world.tick();
    if (++ticks % 40 == 0) api.break_watches();
  };
  EXPECT_EQ(wait(minutes(2))->end, Rollout::End::done);
}

TEST_F(Wait, TroubleThatIsOverIsNotToldAtTheEnd) {
  world.controller_asleep = true;
  change_template();
  int ticks = 0;
  api.tick = [&] {
    world.tick();
    if (++ticks == 5) api.break_watches(kube::FakeApi::Then::resume);
  };
  EXPECT_EQ(wait(seconds(20))->trouble, "");
  EXPECT_GE(ticks, 5);
}

TEST_F(Wait, StopsWhenAsked) {
  change_template();
  api.tick = [&] {
    world.tick();
    if (world.starts("node-1") == 1) api.request_stop();
  };
  const auto rollout = wait(minutes(2)).value();
  EXPECT_EQ(rollout.end, Rollout::End::interrupted);
  EXPECT_GT(rollout.remaining(), 0);
}

TEST_F(Wait, WorksWithoutTheRightsToNodesAndRevisions) {
  api.deny("list", "nodes");
  change_template();
  EXPECT_EQ(wait(minutes(1))->end, Rollout::End::done);
  api.deny("list", "controllerrevisions");
  // Without revisions and without template numbers nobody knows which pods are new.
  EXPECT_EQ(wait(seconds(5))->end, Rollout::End::time_up);
}

TEST_F(Wait, NamesANodeThatGetsNoPod) {
  api.cluster().put(
      kube::kNodes,
      {{"metadata", {{"name", "node-9"}}},
       {"status",
        {{"conditions", json::array{json::object{{"type", "Ready"}, {"status", "True"}}}}}}});
  world.controller_asleep = true;
  api.cluster().edit(test::kCalicoNode, [](json::object& set) {
    set["status"].as_object()["desiredNumberScheduled"] = 4;
  });
  const auto rollout = wait(seconds(20)).value();
  EXPECT_EQ(rollout.end, Rollout::End::time_up);
  ASSERT_EQ(rollout.nodes.size(), 4u);
  EXPECT_EQ(rollout.nodes[3].node, "node-9");
  EXPECT_EQ(rollout.nodes[3].state, NodeState::creating);
}

TEST_F(Wait, DoesNotWaitForANodeThatTheDaemonSetDoesNotWant) {
  api.cluster().edit(test::kCalicoNode, [](json::object& set) {
    set["spec"].at("template").at("spec").as_object()["nodeSelector"] = {{"os", "linux"}};
  });
  for (const char* name : {"node-1", "node-2", "node-3"})
    api.cluster().edit({kube::kNodes, "", name}, [](json::object& node) {
      node["metadata"].as_object()["labels"] = {{"os", "linux"}};
    });
  api.cluster().put(kube::kNodes, {{"metadata", {{"name", "node-9"}}}, {"status", json::object{}}});
  const auto rollout = wait(minutes(2)).value();
  EXPECT_EQ(rollout.end, Rollout::End::done);
  EXPECT_EQ(rollout.nodes.size(), 3u);
}

TEST_F(Wait, SaysWhatIsMissing) {
  ref.name = "calico";
  EXPECT_EQ(wait(seconds(5)).error().kind, ErrorKind::not_found);
  ref.name = "calico-node";
  api.deny("list", "pods");
  EXPECT_EQ(wait(seconds(5)).error().kind, ErrorKind::not_permitted);
}

TEST_F(Wait, NoticesThatTheDaemonSetIsDeleted) {
  world.controller_asleep = true;
  change_template();
  api.tick = [&] { api.cluster().erase(test::kCalicoNode); };
  EXPECT_EQ(wait(minutes(1)).error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace catflap::act
