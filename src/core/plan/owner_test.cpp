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

TEST(Owner, ChangeIsInTheWordsOfTheObject) {
  const auto metadata = json::parse(R"({"labels":{"kustomize.toolkit.fluxcd.io/name":"net"}})");
  const auto change = [&](const char* kind) {
    return owners_of(json::object{{"kind", kind}, {"metadata", metadata}}).at(0).change_at_source;
  };
  EXPECT_EQ(change("DaemonSet"),
            "set FELIX_PROMETHEUSMETRICSENABLED to \"false\" in the repository that Flux reads");
  EXPECT_EQ(change("FelixConfiguration"),
            "set prometheusMetricsEnabled to false in the repository that Flux reads");
}

}  // namespace
}  // namespace catflap
