// The embedded API server, asked by catflap's own client over a real connection.
#include "sim/api_server.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <thread>

#include "base/json_read.hpp"
#include "kube/client.hpp"

namespace catflap::sim {
namespace {

using kube::WatchEvent;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kDaemonSet = R"({"apiVersion":"apps/v1","kind":"DaemonSet",
  "metadata":{"name":"calico-node","namespace":"kube-system"},
  "spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"spec":{"containers":[
    {"name":"calico-node","env":[{"name":"A","value":"1"}]}]}}}})";
const ObjectRef kCalico{kube::kDaemonSets, "kube-system", "calico-node"};

json::object parsed(const std::string& text) {
  return json::parse(text).as_object();
}

json::object config_map(const std::string& name) {
  return {{"metadata", {{"name", name}}}, {"data", {{"a", "b"}}}};
}

/// "not_permitted 403: daemonsets.apps is …", or "ok".
template <class T>
std::string line(const Result<T>& result) {
  if (result) return "ok";
  const auto& error = result.error();
  return fmt::format("{} {}: {}", to_string(error.kind), error.system_code, error.what);
}

class ApiServerTest : public testing::Test {
 protected:
  void SetUp() override {
    store.put(kube::kNamespaces, parsed(R"({"metadata":{"name":"kube-system"}})"));
    store.put(kube::kDaemonSets, parsed(kDaemonSet));
    const User reader{.name = "user",
                      .rules = {{.api_groups = {"apps"},
                                 .resources = {"daemonsets"},
                                 .verbs = {"get", "list", "watch"}}}};
    auto opened = ApiServer::open(
        io, store, {{"a", {.name = "admin", .groups = {"system:masters"}}}, {"u", reader}}, {});
    ASSERT_TRUE(opened);
    server = std::move(*opened);
    thread = std::jthread([this] { io.run(); });
  }

  void TearDown() override {
    admin_.reset();
    user_.reset();
    if (server) on_server([&] { server.reset(); });
    io.stop();
  }

  /// The store belongs to the server's thread.
  void on_server(const std::function<void()>& act) {
    std::promise<void> done;
    boost::asio::post(io, [&] {
      act();
      done.set_value();
    });
    done.get_future().wait();
  }

  kube::Api& admin() { return client(admin_, "a"); }
  kube::Api& user() { return client(user_, "u"); }

  kube::Api& client(std::unique_ptr<kube::Api>& slot, const std::string& token) {
    if (slot) return *slot;
    kube::ClientConfig config;
    config.server = *kube::parse_endpoint(server->url(), "test");
    config.ca_pem = server->ca_pem();
    config.user.token = Secret(token);
    slot = kube::connect(config, {}, clock, {});
    return *slot;
  }

  std::vector<std::string> names(const ListQuery& query) {
    std::vector<std::string> found;
    auto listed = admin().list(
        query, [&] { found.emplace_back("restart"); },
        [&](json::object&& object) { found.push_back(text_at(object, {"metadata", "name"})); });
    if (!listed) found.push_back(line(listed));
    return found;
  }

  RealClock clock;
  Store store{clock, 50};
  boost::asio::io_context io;
  std::unique_ptr<ApiServer> server;
  std::jthread thread;

 private:
  std::unique_ptr<kube::Api> admin_;
  std::unique_ptr<kube::Api> user_;
};

TEST_F(ApiServerTest, AnswersWhatEverybodyMayAsk) {
  const auto version = user().get_raw("/version");
  ASSERT_EQ(line(version), "ok");
  EXPECT_EQ(version->at("gitVersion"), "v1.33.13");
  EXPECT_EQ(version->at("minor"), "33");
  const auto groups = user().get_raw("/apis");
  ASSERT_EQ(line(groups), "ok");
  EXPECT_THAT(json::serialize(*groups), HasSubstr("crd.projectcalico.org/v1"));
  EXPECT_THAT(line(user().get_raw("/nowhere")),
              HasSubstr(R"(403: forbidden: User "user" cannot get path "/nowhere")"));
}

TEST_F(ApiServerTest, SaysWhoMayNotDoWhat) {
  EXPECT_EQ(line(user().get(kCalico)), "ok");
  EXPECT_EQ(line(user().get({kube::kNodes, "", "n1"})),
            R"(not_permitted 403: nodes "n1" is forbidden: User "user" cannot get resource "nodes")"
            R"( in API group "" at the cluster scope)");
  EXPECT_EQ(line(user().patch(kCalico, kube::PatchType::merge_patch, json::object{}, {})),
            R"(not_permitted 403: daemonsets.apps "calico-node" is forbidden: User "user" cannot )"
            R"(patch resource "daemonsets" in API group "apps" in the namespace "kube-system")");
  std::unique_ptr<kube::Api> nobody;
  EXPECT_EQ(line(client(nobody, "wrong").get(kCalico)).substr(0, 19), "unauthenticated 401");
}

TEST_F(ApiServerTest, CreatesOnceAndDeletesWhatWasMeant) {
  const auto made = admin().create(kube::kConfigMaps, "kube-system", config_map("j"), {});
  ASSERT_EQ(line(made), "ok");
  EXPECT_FALSE(made->audit_id.empty());
  const auto uid = text_at(made->object, {"metadata", "uid"});
  const auto version = text_at(made->object, {"metadata", "resourceVersion"});
  EXPECT_EQ(text_at(made->object, {"kind"}), "ConfigMap");
  EXPECT_EQ(line(admin().create(kube::kConfigMaps, "kube-system", config_map("j"), {})),
            "conflict 409: configmaps \"j\" already exists");
  EXPECT_EQ(line(admin().create(kube::kConfigMaps, "nowhere", config_map("j"), {})),
            "not_found 404: namespaces \"nowhere\" not found");
  const ObjectRef ref{kube::kConfigMaps, "kube-system", "j"};
  EXPECT_THAT(line(admin().remove(ref, "other", "", {})), HasSubstr("conflict 409: Operation"));
  EXPECT_THAT(line(admin().remove(ref, uid, "1", {})), HasSubstr("ResourceVersion in the precond"));
  EXPECT_EQ(line(admin().remove(ref, uid, version, {.dry_run = true})), "ok");
  EXPECT_EQ(line(admin().get(ref)), "ok");
  EXPECT_EQ(line(admin().remove(ref, uid, version, {})), "ok");
  EXPECT_EQ(line(admin().get(ref)), "not_found 404: configmaps \"j\" not found");
}

TEST_F(ApiServerTest, ADryRunStoresNothing) {
  const auto made =
      admin().create(kube::kConfigMaps, "kube-system", config_map("j"), {.dry_run = true});
  ASSERT_EQ(line(made), "ok");
  EXPECT_EQ(line(admin().get({kube::kConfigMaps, "kube-system", "j"})).substr(0, 9), "not_found");
}

TEST_F(ApiServerTest, APatchOfAnOlderObjectIsAConflict) {
  const auto version = text_at(*admin().get(kCalico), {"metadata", "resourceVersion"});
  const auto patch = [&](const std::string& seen, const char* value) {
    return json::array{
        json::object{{"op", "replace"}, {"path", "/metadata/resourceVersion"}, {"value", seen}},
        json::object{{"op", "replace"},
                     {"path", "/spec/template/spec/containers/0/env/0/value"},
                     {"value", value}}};
  };
  const auto done = admin().patch(kCalico, kube::PatchType::json_patch, patch(version, "2"), {});
  ASSERT_EQ(line(done), "ok");
  EXPECT_EQ(number_at(done->object, {"metadata", "generation"}), 2);
  EXPECT_NE(text_at(done->object, {"metadata", "resourceVersion"}), version);
  const auto* entry = objects_at(done->object, {"metadata", "managedFields"}).at(0);
  EXPECT_EQ(text_at(*entry, {"manager"}), "catflap");
  EXPECT_EQ(
      line(admin().patch(kCalico, kube::PatchType::json_patch, patch(version, "3"), {})),
      "conflict 409: Operation cannot be fulfilled on daemonsets.apps \"calico-node\": the object "
      "has been modified; please apply your changes to the latest version and try again");
  const json::array failing{json::object{{"op", "test"}, {"path", "/spec/x"}, {"value", 1}}};
  EXPECT_EQ(line(admin().patch(kCalico, kube::PatchType::json_patch, failing, {})),
            "internal 422: the server rejected our request due to an error in our request");
}

TEST_F(ApiServerTest, ListsPageByPageAsOfTheFirst) {
  for (const auto* name : {"a", "b", "c", "d"})
    ASSERT_EQ(line(admin().create(kube::kConfigMaps, "kube-system", config_map(name), {})), "ok");
  ListQuery query{.resource = kube::kConfigMaps, .namespace_ = "kube-system", .page_size = 2};
  EXPECT_THAT(names(query), ElementsAre("a", "b", "c", "d"));
  const auto path = std::string{"/api/v1/configmaps?limit=2"};
  const auto page = admin().get_raw(path);
  ASSERT_EQ(line(page), "ok");
  const auto token = text_at(page->as_object(), {"metadata", "continue"});
  EXPECT_EQ(number_at(page->as_object(), {"metadata", "remainingItemCount"}), 2);
  on_server([&] { store.erase({kube::kConfigMaps, "kube-system", "c"}); });
  const auto rest = admin().get_raw(path + "&continue=" + kube::percent_encode(token));
  ASSERT_EQ(line(rest), "ok");
  EXPECT_EQ(array_at(rest->as_object(), {"items"}).size(), 2u) << "c was there at the first page";
  on_server([&] { store.forget_history(); });
  EXPECT_THAT(line(admin().get_raw(path + "&continue=" + kube::percent_encode(token))),
              HasSubstr("410: The provided continue parameter is too old"));
  EXPECT_THAT(line(admin().get_raw(path + "&continue=x")), HasSubstr("400: invalid continue"));
}

TEST_F(ApiServerTest, ListsBySelectors) {
  for (const auto* name : {"a", "b"}) {
    auto object = config_map(name);
    object["metadata"].as_object()["labels"] = {{"app", name}};
    ASSERT_EQ(line(admin().create(kube::kConfigMaps, "kube-system", object, {})), "ok");
  }
  EXPECT_THAT(names({.resource = kube::kConfigMaps, .label_selector = "app=b"}), ElementsAre("b"));
  EXPECT_THAT(names({.resource = kube::kConfigMaps, .field_selector = "metadata.name!=b"}),
              ElementsAre("a"));
}

struct Seen {
  std::vector<std::string> events;

  void add(const WatchEvent& event) {
    constexpr std::array kTypes{"added", "modified", "deleted", "synced", "trouble", "resumed"};
    events.push_back(fmt::format("{} {}{}", kTypes.at(static_cast<std::size_t>(event.type)),
                                 text_at(event.object, {"metadata", "name"}), event.text));
  }
};

TEST_F(ApiServerTest, AWatchIsToldAndGoesOnAfterItsHistoryIsLost) {
  Seen seen;
  auto watch = admin().watch({.resource = kube::kConfigMaps, .label_selector = "app!=hidden"},
                             [&](const WatchEvent& event) { seen.add(event); });
  const auto wait_for = [&](std::size_t count) {
    admin().run_until([&] { return seen.events.size() >= count; },
                      clock.steady() + std::chrono::seconds{10});
  };
  wait_for(1);
  const Resource maps = kube::kConfigMaps;
  const ObjectRef ref{maps, "kube-system", "w"};
  on_server([&] {
    store.put(maps, parsed(R"({"metadata":{"name":"w","namespace":"kube-system"}})"));
    store.edit(ref, [](json::object& object) { object["data"] = json::object{{"x", "y"}}; });
    store.edit(ref, [](json::object& object) {
      object["metadata"].as_object()["labels"] = json::object{{"app", "hidden"}};
    });
    server->notify();
  });
  wait_for(4);
  EXPECT_THAT(seen.events, ElementsAre("synced ", "added w", "modified w", "deleted w"));
}

TEST_F(ApiServerTest, AWatchFromAForgottenRevisionIsToldSo) {
  on_server([&] { store.forget_history(); });
  // The watch ends with its error, so that this is an answer like any other.
  const auto answer = admin().get_raw("/api/v1/configmaps?watch=true&resourceVersion=5");
  ASSERT_EQ(line(answer), "ok");
  EXPECT_EQ(text_at(answer->as_object(), {"type"}), "ERROR");
  EXPECT_EQ(number_at(answer->as_object(), {"object", "code"}), 410);
}

TEST_F(ApiServerTest, RunsCommands) {
  on_server([&] {
    store.put(kube::kPods,
              parsed(R"({"metadata":{"name":"p","namespace":"kube-system"},"spec":{"nodeName":"n1",
                         "containers":[{"name":"c"}]}})"));
    server->set_exec_handler([](const ExecRequest& request) -> std::optional<ExecAnswer> {
      if (request.command.front() == "hang") return std::nullopt;
      return ExecAnswer{.out = request.container + std::string(100'000, 'o'),
                        .err = request.command.back(),
                        .exit_code = request.command.front() == "fail" ? 3 : 0};
    });
  });
  const auto run = [&](std::string pod, std::string container, std::string command) {
    return admin().exec({{.namespace_ = "kube-system",
                          .pod = std::move(pod),
                          .container = std::move(container),
                          .command = {std::move(command), "a b&c"},
                          .timeout = std::chrono::seconds{2}}},
                        1)[0];
  };
  const auto good = run("p", "c", "good");
  ASSERT_EQ(line(good), "ok");
  EXPECT_EQ(good->stdout_.size(), 100'001u);
  EXPECT_EQ(good->stderr_, "a b&c");
  EXPECT_EQ(good->exit_code, 0);
  EXPECT_EQ(run("p", "c", "fail")->exit_code, 3);
  EXPECT_THAT(line(run("p", "c", "hang")), HasSubstr("timed_out"));
  EXPECT_THAT(line(run("p", "d", "good")), HasSubstr("400: container d is not valid for pod p"));
  EXPECT_THAT(line(run("q", "c", "good")), HasSubstr("404: pods \"q\" not found"));
  on_server([&] { server->set_exec_handler({}); });
  EXPECT_THAT(line(run("p", "c", "good")), HasSubstr("unsupported 500"));
}

TEST_F(ApiServerTest, BodiesAreBounded) {
  json::object large = config_map("large");
  large["data"] = json::object{{"a", std::string(4u << 20, 'x')}};
  const auto made = admin().create(kube::kConfigMaps, "kube-system", large, {});
  EXPECT_FALSE(made);
  large["data"] = json::object{{"a", std::string((1u << 20) + 1, 'x')}};
  EXPECT_EQ(line(admin().create(kube::kConfigMaps, "kube-system", large, {})),
            "internal 422: ConfigMap \"large\" is invalid: []: Too long: may not be more than "
            "1048576 bytes");
  EXPECT_EQ(line(user().get(kCalico)), "ok") << "it lives";
}

TEST_F(ApiServerTest, LargeAnswersAreCompressed) {
  auto large = config_map("large");
  large["data"] = json::object{{"a", std::string(500'000, 'x')}};
  ASSERT_EQ(line(admin().create(kube::kConfigMaps, "kube-system", large, {})), "ok");
  const auto got = admin().get({kube::kConfigMaps, "kube-system", "large"});
  ASSERT_EQ(line(got), "ok");
  EXPECT_EQ(text_at(*got, {"data", "a"}).size(), 500'000u);
}

}  // namespace
}  // namespace catflap::sim
