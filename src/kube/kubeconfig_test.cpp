// kubeconfig and flags to ClientConfig: tables over one line per case.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kube/base64.hpp"
#include "kube/client_config.hpp"

namespace catflap::kube {
namespace {

using ::testing::HasSubstr;

constexpr const char* kOne = R"(
apiVersion: v1
kind: Config
current-context: prod
clusters:
- name: prod
  cluster: {server: "https://10.0.0.1:6443", certificate-authority: ca.pem, tls-server-name: api.prod}
- name: six
  cluster: {server: "https://[fd91::1]:6443/k8s/clusters/c-1/", certificate-authority-data: UEVN}
users:
- name: admin
  user: {client-certificate: admin.crt, client-key: /abs/admin.key}
- name: bot
  user: {token: one, tokenFile: run/token}
contexts:
- name: prod
  context: {cluster: prod, user: admin, namespace: kube-system}
- name: six
  context: {cluster: six, user: bot}
)";

constexpr const char* kTwo = R"(
current-context: lab
clusters:
- {name: prod, cluster: {server: "https://wrong:1", proxy-url: "http://wrong:2"}}
- {name: lab, cluster: {server: "http://127.0.0.1:8001"}}
users:
- {name: bot, user: {token: two}}
- {name: alice, user: {username: alice, password: s3cret}}
contexts:
- {name: lab, context: {cluster: lab, user: alice}}
- {name: prod, context: {cluster: lab, user: alice}}
)";

struct World {
  std::map<std::string, std::string> variables{{"KUBECONFIG", "/k/one:/k/two"}};
  std::map<std::string, std::string> files{
      {"/k/one", kOne}, {"/k/two", kTwo}, {"/k/ca.pem", "CA"}, {"/k/admin.crt", "C"}};

  [[nodiscard]] Environment environment() const {
    Environment out;
    out.variable = [this](const std::string& name) -> std::optional<std::string> {
      auto found = variables.find(name);
      if (found == variables.end()) return std::nullopt;
      return found->second;
    };
    out.read_file = [this](const std::string& path) -> Result<std::string> {
      auto found = files.find(path);
      if (found != files.end()) return found->second;
      return Error{
          .kind = ErrorKind::not_found, .what = "cannot be read: No such file", .subject = path};
    };
    return out;
  }
};

/// One line: what a request would be made of. Secrets are the tests' own.
std::string dump(const Result<ClientConfig>& result) {
  if (!result)
    return fmt::format("{}: {}", to_string(result.error().kind), to_string(result.error()));
  const ClientConfig& c = *result;
  std::string out = fmt::format("{} ns={} cluster={} user={}", c.server.to_string(),
                                c.info.namespace_, c.info.cluster_name, c.info.user_name);
  auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) out += fmt::format(" {}={}", name, value);
  };
  add("sni", c.tls_server_name);
  add("ca", c.ca_pem);
  if (c.server_check == ServerCheck::skip) out += " insecure";
  add("cert", c.user.client_certificate + c.user.client_certificate_data);
  add("key", c.user.client_key + c.user.client_key_data.reveal());
  add("token", c.user.token.reveal());
  add("tokenFile", c.user.token_file);
  add("basic", c.user.username);
  add("as", c.user.as.user);
  add("groups", fmt::format("{}", fmt::join(c.user.as.groups, "+")));
  if (c.user.exec) add("exec", c.user.exec->command);
  if (c.proxy) add("proxy", c.proxy->to_string());
  if (c.request_timeout) add("timeout", catflap::to_string(*c.request_timeout));
  return out;
}

const char* const kProd =
    "https://10.0.0.1:6443 ns=kube-system cluster=prod user=admin sni=api.prod ca=CA "
    "cert=/k/admin.crt "
    "key=/abs/admin.key";

TEST(ClientConfig, FlagsOverrideTheMergedFiles) {
  struct Row {
    const char* name;
    std::function<void(Flags&)> set;
    std::string want;
  };
  const std::vector<Row> rows{
      {"nothing", [](Flags&) {}, kProd},
      {"--context", [](Flags& f) { f.context = "six"; },
       "https://[fd91::1]:6443/k8s/clusters/c-1 ns=default cluster=six user=bot ca=PEM token=one "
       "tokenFile=/k/run/token"},
      {"second file", [](Flags& f) { f.context = "lab"; },
       "http://127.0.0.1:8001 ns=default cluster=lab user=alice basic=alice"},
      {"-n", [](Flags& f) { f.namespace_ = "x"; },
       "https://10.0.0.1:6443 ns=x cluster=prod user=admin sni=api.prod ca=CA cert=/k/admin.crt "
       "key=/abs/admin.key"},
      {"--cluster", [](Flags& f) { f.cluster = "lab"; },
       "http://127.0.0.1:8001 ns=kube-system cluster=lab user=admin cert=/k/admin.crt "
       "key=/abs/admin.key"},
      {"--user", [](Flags& f) { f.user = "bot"; },
       "https://10.0.0.1:6443 ns=kube-system cluster=prod user=bot sni=api.prod ca=CA token=one "
       "tokenFile=/k/run/token"},
      {"--token", [](Flags& f) { f.user = "bot", f.token = Secret("t"); },
       "https://10.0.0.1:6443 ns=kube-system cluster=prod user=bot sni=api.prod ca=CA token=t"},
      {"--server clears tls-server-name", [](Flags& f) { f.server = "https://h"; },
       "https://h:443 ns=kube-system cluster=prod user=admin ca=CA cert=/k/admin.crt "
       "key=/abs/admin.key"},
      {"--tls-server-name", [](Flags& f) { f.tls_server_name = "x.y"; },
       "https://10.0.0.1:6443 ns=kube-system cluster=prod user=admin sni=x.y ca=CA "
       "cert=/k/admin.crt "
       "key=/abs/admin.key"},
      {"--insecure-skip-tls-verify", [](Flags& f) { f.insecure_skip_tls_verify = true; },
       "https://10.0.0.1:6443 ns=kube-system cluster=prod user=admin sni=api.prod insecure "
       "cert=/k/admin.crt "
       "key=/abs/admin.key"},
      {"--as", [](Flags& f) { f.as = "bob", f.as_groups = {"a", "b"}; },
       "https://10.0.0.1:6443 ns=kube-system cluster=prod user=admin as bob sni=api.prod ca=CA "
       "cert=/k/admin.crt key=/abs/admin.key as=bob groups=a+b"},
      {"--request-timeout", [](Flags& f) { f.request_timeout = std::chrono::seconds{5}; },
       std::string(kProd) + " timeout=5s"},
      {"--request-timeout 0", [](Flags& f) { f.request_timeout = Duration{0}; }, kProd},
      {"--kubeconfig", [](Flags& f) { f.kubeconfig = "/k/two"; },
       "http://127.0.0.1:8001 ns=default cluster=lab user=alice basic=alice"},
  };
  World world;
  for (const Row& row : rows) {
    Flags flags;
    row.set(flags);
    EXPECT_EQ(dump(load_client_config(flags, world.environment())), row.want) << row.name;
  }
}

TEST(ClientConfig, MistakesNameTheFileOrTheFlag) {
  struct Row {
    const char* name;
    std::function<void(World&, Flags&)> set;
    const char* want;
  };
  const std::vector<Row> rows{
      {"context", [](World&, Flags& f) { f.context = "prd"; }, "there is no context \"prd\""},
      {"cluster", [](World&, Flags& f) { f.cluster = "x"; }, "there is no cluster \"x\""},
      {"user", [](World&, Flags& f) { f.user = "x"; }, "there is no user \"x\""},
      {"explicit file", [](World&, Flags& f) { f.kubeconfig = "/none"; },
       "/none: the kubeconfig cannot be read"},
      {"nothing at all", [](World& w, Flags&) { w.variables.clear(); }, "no kubeconfig was found"},
      {"ca", [](World& w, Flags&) { w.files.erase("/k/ca.pem"); },
       "/k/ca.pem: certificate-authority of cluster \"prod\" cannot be read"},
      {"group alone", [](World&, Flags& f) { f.as_groups = {"g"}; }, "without a user"},
      {"url", [](World&, Flags& f) { f.server = "10.0.0.1:6443"; },
       "--server: \"10.0.0.1:6443\" is not a usable"},
      {"line break in a token", [](World&, Flags& f) { f.token = Secret("a\r\nX: y"); },
       "control characters"},
      {"socks", [](World& w, Flags&) { w.variables["HTTPS_PROXY"] = "socks5://p:1"; },
       "HTTPS_PROXY: SOCKS"},
  };
  for (const Row& row : rows) {
    World world;
    Flags flags;
    row.set(world, flags);
    auto result = load_client_config(flags, world.environment());
    ASSERT_FALSE(result) << row.name;
    EXPECT_THAT(to_string(result.error()), HasSubstr(row.want)) << row.name;
    EXPECT_FALSE(result.error().hint.empty()) << row.name;
  }
}

TEST(ClientConfig, ANearContextIsSuggested) {
  World world;
  Flags flags;
  flags.context = "prd";
  auto result = load_client_config(flags, world.environment());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().hint, "did you mean \"prod\"?");
}

TEST(ClientConfig, HomeIsTheDefaultAndTheServiceAccountTheLastResort) {
  World world;
  world.variables = {{"HOME", "/root"},
                     {"KUBERNETES_SERVICE_HOST", "fd91::1"},
                     {"KUBERNETES_SERVICE_PORT", "443"}};
  world.files["/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"] = "SA";
  world.files["/var/run/secrets/kubernetes.io/serviceaccount/namespace"] = "mine";
  EXPECT_EQ(dump(load_client_config({}, world.environment())),
            "https://[fd91::1]:443 ns=mine cluster=in-cluster user=service account ca=SA "
            "tokenFile=/var/run/secrets/kubernetes.io/serviceaccount/token");
  world.files["/root/.kube/config"] = kTwo;
  EXPECT_EQ(dump(load_client_config({}, world.environment())),
            "http://127.0.0.1:8001 ns=default cluster=lab user=alice basic=alice");
}

TEST(ClientConfig, ProxyComesFromTheFileThenTheEnvironment) {
  struct Row {
    const char* https_proxy;
    const char* no_proxy;
    const char* want;
  };
  const std::vector<Row> rows{
      {"", "", "none"},
      {"http://u:p@proxy:3128", "", "http://proxy:3128"},
      {"proxy:3128", "", "http://proxy:3128"},
      {"https://proxy", "example.com", "https://proxy:443"},
      {"http://proxy:3128", "10.0.0.0/8", "none"},
      {"http://proxy:3128", "*", "none"},
      {"http://proxy:3128", " 10.0.0.1:6443 , x", "none"},
      {"http://proxy:3128", "10.0.0.1:443", "http://proxy:3128"},
  };
  for (const Row& row : rows) {
    World world;
    world.variables["HTTPS_PROXY"] = row.https_proxy;
    world.variables["no_proxy"] = row.no_proxy;
    auto result = load_client_config({}, world.environment());
    ASSERT_TRUE(result) << to_string(result.error());
    EXPECT_EQ(result->proxy ? result->proxy->to_string() : "none", row.want)
        << row.https_proxy << " " << row.no_proxy;
  }
}

TEST(Endpoint, AUrlThatDoesNotParseKeepsItsPassword) {
  for (const char* url : {"http://user:s3cret@proxy:port", "http://user:s3c/ret@proxy:70000",
                          "user:s3cret@proxy:3128", "ftp://user:s3cret@proxy"}) {
    auto result = parse_endpoint(url, "HTTPS_PROXY");
    ASSERT_FALSE(result) << url;
    EXPECT_THAT(result.error().what, HasSubstr("***@proxy")) << url;
    EXPECT_THAT(result.error().what, ::testing::Not(HasSubstr("s3c"))) << url;
  }
}

TEST(Endpoint, NoProxyPatterns) {
  struct Row {
    const char* list;
    const char* host;
    bool direct;
  };
  const std::vector<Row> rows{
      {"", "localhost", true},
      {"", "::1", true},
      {"", "127.1.2.3", true},
      {"", "a.example.com", false},
      {"example.com", "example.com", true},
      {"example.com", "a.EXAMPLE.com", true},
      {"example.com", "notexample.com", false},
      {".example.com", "example.com", false},
      {".example.com", "a.example.com", true},
      {"*.example.com", "a.example.com", true},
      {"*.example.com", "example.com", false},
      {"fd91::/16", "fd91::1", true},
      {"fd91::1", "fd91::1", true},
      {"[fd91::1]:6443", "fd91::1", true},
      {"[fd91::1]:1", "fd91::1", false},
      {"10.0.0.0/8", "11.0.0.1", false},
      {"a:6443", "a", true},
      {"a:1", "a", false},
      {"x,,*", "a", true},
      {".", "a.b", false},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(passes_by_proxy(row.list, row.host, 6443), row.direct) << row.list << " " << row.host;
  }
}

TEST(Kubeconfig, ErrorsNameTheField) {
  struct Row {
    const char* yaml;
    const char* want;
  };
  const std::vector<Row> rows{
      {"clusters: 5", "clusters must be a list"},
      {"clusters: [5]", "clusters[0] must be a mapping"},
      {"clusters: [{name: a, cluster: {server: [x]}}]", "clusters[0].cluster.server must be text"},
      {"clusters: [{name: a}, {name: a}]", "clusters[1].name \"a\" is there twice"},
      {"clusters: [{name: a, cluster: {certificate-authority-data: '***'}}]",
       "clusters[0].cluster.certificate-authority-data is not valid base64"},
      {"clusters: [{name: a, cluster: {insecure-skip-tls-verify: maybe}}]",
       "must be true or false"},
      {"users: [{name: a, user: {exec: {apiVersion: v1}}}]",
       "users[0].user.exec.apiVersion must be"},
      {"users: [{name: a, user: {exec: {apiVersion: client.authentication.k8s.io/v1}}}]",
       "users[0].user.exec.command is missing"},
      {"users: [{name: a, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: "
       "x}}}]",
       "users[0].user.exec.interactiveMode must be"},
      {"users: [{name: a, user: {exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: "
       "x, "
       "args: [{a: b}]}}}]",
       "users[0].user.exec.args must be a list of texts"},
      {"users:\n- name: [", "line "},
      {"- a", "the document must be a mapping"},
  };
  for (const Row& row : rows) {
    auto result = parse_kubeconfig(row.yaml, "/k/f");
    ASSERT_FALSE(result) << row.yaml;
    EXPECT_EQ(result.error().kind, ErrorKind::usage);
    EXPECT_EQ(result.error().subject, "/k/f");
    EXPECT_THAT(result.error().what, HasSubstr(row.want));
  }
}

TEST(Kubeconfig, ExecPluginsAndExtensionsAreRead) {
  auto result = parse_kubeconfig(R"(
clusters:
- name: a
  cluster:
    server: https://a
    extensions:
    - name: client.authentication.k8s.io/exec
      extension: {audience: "06", n: 3, deep: [true, null, x]}
users:
- name: u
  user:
    as: bob
    as-user-extra: {scopes: [a, b]}
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: ./login
      args: [get, "7"]
      env: [{name: A, value: b}]
      provideClusterInfo: true
      installHint: get it
)",
                                 "/k/f");
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(boost::json::serialize(result->clusters["a"].exec_config),
            R"({"audience":"06","n":3,"deep":[true,null,"x"]})");
  const UserEntry& user = result->users["u"];
  ASSERT_TRUE(user.exec);
  EXPECT_EQ(user.exec->command, "/k/./login");
  EXPECT_THAT(user.exec->args, ::testing::ElementsAre("get", "7"));
  EXPECT_EQ(user.exec->interactive, ExecPlugin::Interactive::if_available);
  EXPECT_TRUE(user.exec->provide_cluster_info);
  EXPECT_THAT(user.as.extra.at("scopes"), ::testing::ElementsAre("a", "b"));
}

TEST(Base64, IsStrict) {
  struct Row {
    const char* text;
    std::optional<std::string> bytes;
  };
  const std::vector<Row> rows{{"", ""},
                              {"Zg==", "f"},
                              {"Zm8=", "fo"},
                              {"Zm9v", "foo"},
                              {"Zm9v\nYg==", "foob"},
                              {"Zg", std::nullopt},
                              {"Zg=", std::nullopt},
                              {"Zg==Zg==", std::nullopt},
                              {"Z===", std::nullopt},
                              {"Zm-v", std::nullopt}};
  for (const Row& row : rows) {
    EXPECT_EQ(decode_base64(row.text), row.bytes) << row.text;
    if (row.bytes && std::string_view(row.text).find('\n') == std::string_view::npos) {
      EXPECT_EQ(encode_base64(*row.bytes), row.text);
    }
  }
}

}  // namespace
}  // namespace catflap::kube
