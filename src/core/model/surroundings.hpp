// Surroundings: what else in the cluster has a say in Felix's endpoint, and who reads it. Read by
// look/surroundings, each part with a right of its own, and none of it is needed for a verdict.
#pragma once

#include <string>
#include <vector>

namespace catflap {

/// Could a source be read?
struct ReadState {
  bool readable = true;
  std::string why;  // the server's word, e.g. forbidden
};

/// An Application of Argo CD that bears the name in an object's mark.
struct ArgoApplication {
  std::string namespace_;
  std::string name;
  bool heals_itself = true;  // writes back what somebody else changes, without a new commit
};

/// An object that makes a monitoring system read Felix's metrics. It is no sign that there is
/// anything to read.
struct Consumer {
  std::string kind;  // Service, ServiceMonitor, PodMonitor, VMServiceScrape, VMPodScrape,
                     // VMNodeScrape, Annotations (prometheus.io/* on a template)
  std::string namespace_;
  std::string name;
  std::string port;  // as it says: 9091, or a port's name
  std::string via;   // the object that leads to Felix: "Service kube-system/felix-metrics-svc"
};

/// A kind of object that may be there and could not be looked for.
struct NotKnown {
  std::string kind;
  std::string why;
};

/// A ResourcePatch of Alauda Container Platform in which the name of a DaemonSet stands. Its schema
/// is not public: that it is for that DaemonSet is a guess.
struct PlatformPatch {
  std::string name;
  std::string object;  // "DaemonSet kube-system/calico-node"
};

/// Alauda Container Platform installs Calico by an AppRelease and keeps edits as ResourcePatches.
struct Platform {
  std::string release;  // "AppRelease cpaas-system/cni-calico"; "": none was found
  std::vector<PlatformPatch> patches;
  /// As kubectl takes it: another group may have resources of that name. The platform's own group,
  /// unless discovery found them in another.
  std::string patch_resource = "resourcepatches.operator.alauda.io";
  std::vector<NotKnown> not_known;
};

/// Calico's migration of its configuration from one API group to another (v1-to-v3), from Calico
/// 3.32 on. While it is under way, writes may be lost.
struct DatastoreMigration {
  ReadState state;
  std::string phase;  // "": the controller has not begun
  std::string message;
};

struct Surroundings {
  bool read = false;             // false: nobody asked
  ReadState applications_state;  // of Argo CD
  std::vector<ArgoApplication> applications;
  Platform platform;
  std::vector<Consumer> consumers;
  std::vector<NotKnown> consumers_not_known;
};

}  // namespace catflap
