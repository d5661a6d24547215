#include "core/plan/owner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace catflap {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// "reverts-now argocd | reverts-at-next-release helm"
std::string owners_in(const std::string& metadata) {
  const json::object object{{"metadata", json::parse(metadata)}};
  std::string text;
  for (const Owner& owner : owners_of(object)) {
    text += (text.empty() ? "" : " | ") + std::string{to_string(owner.class_)} + " " + owner.name;
  }
  return text;
}

struct Row {
  const char* metadata;
  const char* owners;
};

TEST(Owner, EachMarkNamesItsOwner) {
  constexpr Row kRows[] = {
      {R"({})", ""},
      {R"({"labels":{"k8s-app":"calico-node"}})", ""},
      {R"({"labels":{"app.kubernetes.io/managed-by":"tigera-operator"}})",
       "reverts-now tigera-operator"},
      {R"({"ownerReferences":[{"apiVersion":"operator.tigera.io/v1","kind":"Installation","name":"default","controller":true}]})",
       "reverts-now tigera-operator"},
      {R"({"annotations":{"argocd.argoproj.io/tracking-id":"net:apps/DaemonSet:kube-system/calico-node"}})",
       "reverts-now argocd"},
      {R"({"labels":{"argocd.argoproj.io/instance":"net"}})", "reverts-now argocd"},
      {R"({"labels":{"app.kubernetes.io/instance":"net"}})", "reverts-now argocd"},
      {R"({"labels":{"kustomize.toolkit.fluxcd.io/name":"net"}})", "reverts-now flux"},
      {R"({"labels":{"helm.toolkit.fluxcd.io/name":"net"}})", "reverts-now flux"},
      {R"({"labels":{"addonmanager.kubernetes.io/mode":"Reconcile"}})",
       "reverts-now addon-manager"},
      {R"({"labels":{"addonmanager.kubernetes.io/mode":"EnsureExists"}})", ""},
      {R"({"labels":{"kubernetes.io/cluster-service":"true"}})", "reverts-now addon-manager"},
      {R"({"labels":{"kubernetes.io/cluster-service":"false"}})", ""},
      {R"({"labels":{"kubernetes.io/cluster-service":"true","addonmanager.kubernetes.io/mode":"EnsureExists"}})",
       ""},
      {R"({"labels":{"resources.gardener.cloud/managed-by":"gardener"}})", "reverts-now gardener"},
      {R"({"labels":{"kubernetes.azure.com/managedby":"aks"}})", "reverts-now aks"},
      {R"({"annotations":{"meta.helm.sh/release-name":"calico"}})", "reverts-at-next-release helm"},
      {R"({"labels":{"app.kubernetes.io/managed-by":"Helm"}})", "reverts-at-next-release helm"},
      {R"({"labels":{"heritage":"Tiller"}})", "reverts-at-next-release helm"},
      {R"({"labels":{"heritage":"Helm"}})", "reverts-at-next-release helm"},
      {R"({"annotations":{"objectset.rio.cattle.io/owner-gvk":"k3s.cattle.io/v1, Kind=Addon"}})",
       "reverts-at-next-release k3s/RKE2"},
      {R"({"labels":{"objectset.rio.cattle.io/hash":"ab"}})", "reverts-at-next-release k3s/RKE2"},
      {R"({"labels":{"k0s.k0sproject.io/stack":"calico"}})", "reverts-at-next-release k0s"},
      {R"({"labels":{"addon.kops.k8s.io/name":"networking.projectcalico.org"}})",
       "reverts-at-next-release kops"},
      {R"({"labels":{"app.kubernetes.io/managed-by":"kops"}})", "reverts-at-next-release kops"},
      {R"({"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}"}})",
       "reverts-at-next-release kubectl-apply"},
      {R"({"annotations":{"meta.helm.sh/release-name":"rke2-canal"},"labels":{"app.kubernetes.io/managed-by":"Helm"}})",
       "reverts-at-next-release k3s/RKE2"},
      {R"({"annotations":{"objectset.rio.cattle.io/owner-name":"rke2-calico"}})",
       "reverts-at-next-release k3s/RKE2"},
      {R"({"managedFields":[{"manager":"argocd-controller","operation":"Apply"}]})",
       "reverts-now argocd"},
      {R"({"managedFields":[{"manager":"kustomize-controller","operation":"Apply"}]})",
       "reverts-now flux"},
      {R"({"managedFields":[{"manager":"helm","operation":"Update"}]})",
       "reverts-at-next-release helm"},
      {R"({"managedFields":[{"manager":"kubectl","operation":"Apply"}]})",
       "reverts-at-next-release kubectl-apply"},
      {R"({"managedFields":[{"manager":"kubectl-client-side-apply","operation":"Update"}]})",
       "reverts-at-next-release kubectl-apply"},
      // By hand: nobody writes it back.
      {R"({"managedFields":[{"manager":"kubectl","operation":"Update"},{"manager":"kubectl-edit","operation":"Update"},
           {"manager":"kubectl-set","operation":"Update"},{"manager":"kubectl-patch","operation":"Update"}]})",
       ""},
  };
  for (const Row& row : kRows) EXPECT_EQ(owners_in(row.metadata), row.owners) << row.metadata;
}

TEST(Owner, StrictestFirstAndEachOnce) {
  constexpr Row kRows[] = {
      {R"({"labels":{"app.kubernetes.io/managed-by":"Helm","kustomize.toolkit.fluxcd.io/name":"net"},
           "annotations":{"meta.helm.sh/release-name":"calico","kubectl.kubernetes.io/last-applied-configuration":"{}"}})",
       "reverts-now flux | reverts-at-next-release helm | reverts-at-next-release kubectl-apply"},
      {R"({"labels":{"argocd.argoproj.io/instance":"a","app.kubernetes.io/instance":"a"},
           "annotations":{"argocd.argoproj.io/tracking-id":"a"}})",
       "reverts-now argocd"},
      // Helm charts set the instance label themselves: it is no sign of Argo CD beside Helm's own
      // marks.
      {R"({"labels":{"app.kubernetes.io/instance":"calico"},"annotations":{"meta.helm.sh/release-name":"calico"}})",
       "reverts-at-next-release helm"},
      // Argo CD renders charts itself: their labels, without the annotation of a release.
      {R"({"labels":{"app.kubernetes.io/instance":"calico","app.kubernetes.io/managed-by":"Helm","heritage":"Helm"}})",
       "reverts-now argocd | reverts-at-next-release helm"},
      {R"({"labels":{"kustomize.toolkit.fluxcd.io/name":"net"},
           "ownerReferences":[{"apiVersion":"x.io/v1","kind":"Net","name":"a","controller":true}]})",
       "reverts-now flux | unknown-controller Net a"},
  };
  for (const Row& row : kRows) EXPECT_EQ(owners_in(row.metadata), row.owners) << row.metadata;
}

TEST(Owner, UnknownControllerIsNamed) {
  const json::object object{
      {"metadata",
       json::parse(
           R"({"ownerReferences":[{"apiVersion":"net.example/v1","kind":"Network","name":"main","controller":true}]})")}};
  const auto owners = owners_of(object);
  ASSERT_THAT(owners, SizeIs(1));
  EXPECT_EQ(owners[0].class_, OwnerClass::unknown_controller);
  EXPECT_THAT(owners[0].mark, HasSubstr("net.example/v1 Network main"));
}

TEST(Owner, ReferenceThatDoesNotControlIsNobody) {
  EXPECT_THAT(owners_in(R"({"ownerReferences":[{"apiVersion":"v1","kind":"Node","name":"a"}]})"),
              IsEmpty());
  EXPECT_THAT(
      owners_in(
          R"({"ownerReferences":[{"apiVersion":"v1","kind":"Node","name":"a","controller":false}]})"),
      IsEmpty());
}

TEST(Owner, MisshapenMetadataIsNobody) {
  EXPECT_THAT(owners_of(json::object{}), IsEmpty());
  EXPECT_THAT(owners_of(json::object{{"metadata", 1}}), IsEmpty());
  EXPECT_THAT(
      owners_in(
          R"({"labels":["heritage"],"annotations":7,"ownerReferences":[1,{"controller":true}]})"),
      testing::StrEq("unknown-controller  "));
}

TEST(Owner, EveryOwnerSaysWhatToChange) {
  for (const char* metadata :
       {R"({"labels":{"kustomize.toolkit.fluxcd.io/name":"net"}})",
        R"({"annotations":{"meta.helm.sh/release-name":"calico"}})",
        R"({"ownerReferences":[{"kind":"Network","name":"main","controller":true}]})"}) {
    for (const Owner& owner : owners_of(json::object{{"metadata", json::parse(metadata)}})) {
      EXPECT_FALSE(owner.change_at_source.empty()) << metadata;
      EXPECT_FALSE(owner.mark.empty()) << metadata;
    }
  }
}

json::object marked(const char* kind, const char* metadata) {
  return {{"apiVersion", "v"}, {"kind", kind}, {"metadata", json::parse(metadata)}};
}

TEST(Owner, ChangeIsInTheWordsOfTheObject) {
  constexpr const char* kFlux =
      R"({"name":"a","namespace":"b","labels":{"kustomize.toolkit.fluxcd.io/name":"net"}})";
  const Owner set = owners_of(marked("DaemonSet", kFlux)).at(0);
  EXPECT_EQ(set.change_at_source,
            "set FELIX_PROMETHEUSMETRICSENABLED to \"false\" in the repository that Flux reads");
  EXPECT_THAT(set.paste, HasSubstr("  name: a\n  namespace: b\n"));
  EXPECT_THAT(set.paste, HasSubstr("- name: calico-node\n"));
  const Owner configuration = owners_of(marked("FelixConfiguration", kFlux)).at(0);
  EXPECT_EQ(configuration.change_at_source,
            "set prometheusMetricsEnabled to false in the repository that Flux reads");
  EXPECT_EQ(configuration.paste,
            "apiVersion: v\nkind: FelixConfiguration\nmetadata:\n  name: a\nspec:\n"
            "  prometheusMetricsEnabled: false\n");
}

TEST(Owner, NamesFromTheClusterCannotPoseAsLinesToPaste) {
  const auto owner = owners_of(marked("DaemonSet",
                                      R"({"name":"a\nkind: Secret{setting}",
                                          "labels":{"kustomize.toolkit.fluxcd.io/name":"net"}})"))
                         .at(0);
  EXPECT_THAT(owner.paste, testing::Not(HasSubstr("\nkind: Secret")));
  EXPECT_THAT(owner.paste, HasSubstr("{setting}"));
}

TEST(Owner, WhatFluxRunsHelmForLiesInAHelmRelease) {
  constexpr const char* kLabels =
      R"({"name":"default","labels":{"helm.toolkit.fluxcd.io/name":"calico",
          "helm.toolkit.fluxcd.io/namespace":"flux-net","app.kubernetes.io/managed-by":"Helm"}})";
  for (const char* kind : {"Installation", "FelixConfiguration", "DaemonSet"}) {
    const Owner owner = owners_of(marked(kind, kLabels)).at(0);
    EXPECT_THAT(owner.change_at_source, HasSubstr("HelmRelease flux-net/calico"));
    EXPECT_THAT(owner.paste,
                HasSubstr("kind: HelmRelease\nmetadata:\n  name: calico\n  namespace: flux-net\n"));
    EXPECT_THAT(owner.paste, HasSubstr("    installation:\n      nodeMetricsPort: null\n"));
    EXPECT_THAT(owner.paste, testing::Not(HasSubstr("kind: " + std::string{kind} + "\n")));
  }
  const Owner by_writer = owners_of(marked("Installation", R"({"managedFields":[
      {"manager":"helm-controller","operation":"Update"}]})"))
                              .at(0);
  EXPECT_THAT(by_writer.paste, HasSubstr("  name: NAME\n  namespace: NAMESPACE\n"));
}

TEST(Owner, WhoHasNoSettingForItHasNothingToPaste) {
  const Owner owner =
      owners_of(
          marked("DaemonSet", R"({"labels":{"resources.gardener.cloud/managed-by":"gardener"}})"))
          .at(0);
  EXPECT_EQ(owner.paste, "");
  EXPECT_THAT(owner.change_at_source, HasSubstr("no setting"));
}

TEST(Owner, RancherChartsNameTheirHelmChartConfig) {
  const auto paste = [](const char* release) {
    const std::string metadata =
        std::string{R"({"annotations":{"meta.helm.sh/release-name":")"} + release + R"("}})";
    return owners_of(marked("DaemonSet", metadata.c_str())).at(0).paste;
  };
  EXPECT_THAT(paste("rke2-canal"),
              HasSubstr("kind: HelmChartConfig\nmetadata:\n  name: rke2-canal"));
  EXPECT_THAT(paste("rke2-calico"), HasSubstr("nodeMetricsPort: null"));
  EXPECT_THAT(paste("calico"), testing::Not(HasSubstr("HelmChartConfig")));
}

// --- Argo CD's Applications ----------------------------------------------------------------------

TEST(Owner, ApplicationsAreNamedByTheSurestMark) {
  using testing::ElementsAre;
  const auto meant_by = [](const char* metadata) {
    return applications_of(marked("DaemonSet", metadata));
  };
  EXPECT_THAT(
      meant_by(R"({"annotations":{"argocd.argoproj.io/tracking-id":"net:apps/DaemonSet:a/b"},
                        "labels":{"argocd.argoproj.io/instance":"other"}})"),
      ElementsAre("net"));
  EXPECT_THAT(meant_by(R"({"annotations":{"argocd.argoproj.io/tracking-id":"team_net:x"}})"),
              ElementsAre("team/net"));
  EXPECT_THAT(meant_by(R"({"labels":{"app.kubernetes.io/instance":"net"}})"), ElementsAre("net"));
  EXPECT_THAT(meant_by(R"({"labels":{"app.kubernetes.io/instance":"net"},
                        "annotations":{"meta.helm.sh/release-name":"net"}})"),
              IsEmpty());
}

TEST(Owner, ArgoWithoutSelfHealWritesBackLater) {
  const auto object =
      marked("DaemonSet",
             R"({"annotations":{"argocd.argoproj.io/tracking-id":"net:apps/DaemonSet:a/b"}})");
  const auto class_with = [&](const Surroundings& around) {
    return owners_of(object, around).at(0).class_;
  };
  using enum OwnerClass;
  EXPECT_EQ(class_with({}), reverts_now);
  EXPECT_EQ(class_with({.read = true}), reverts_now);  // Argo CD runs in another cluster
  EXPECT_EQ(class_with({.read = true, .applications = {{"argocd", "net", false}}}),
            reverts_at_next_release);
  EXPECT_EQ(class_with({.read = true, .applications = {{"argocd", "other", false}}}), reverts_now);
  EXPECT_EQ(class_with({.read = true, .applications = {{"argocd", "net", true}}}), reverts_now);
  // Two of the same name: which of them it is cannot be told.
  EXPECT_EQ(class_with({.read = true, .applications = {{"a", "net", false}, {"b", "net", true}}}),
            reverts_now);
  EXPECT_EQ(class_with({.read = true,
                        .applications_state = {.readable = false, .why = "forbidden"},
                        .applications = {{"argocd", "net", false}}}),
            reverts_now);
}

}  // namespace
}  // namespace catflap
