// A port of a pod, forwarded over WebSocket with v4.channel.k8s.io: the one protocol that every
// kubelet and container runtime from 1.28 to 1.35 offers there (the API server only passes it on).
// Its later rival, SPDY in a WebSocket, came with 1.31 and needs SPDY. Channel 0 is the data,
// channel 1 an error text from the node; the first two bytes of each are the port, little-endian
// (kubernetes, staging/src/k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kube/api.hpp"
#include "kube/loop.hpp"
#include "kube/transport.hpp"
#include "kube/websocket.hpp"

namespace catflap::kube {

/// Asks all, at most `parallel` at once; afterwards every element of `results` is set.
[[nodiscard]] Task<void> forward_all(Transport& transport, Scope& scope,
                                     const std::vector<ForwardCall>& calls, std::size_t parallel,
                                     std::vector<std::optional<Result<ForwardAnswer>>>& results);

/// The two channels of one forwarded port. Pure.
class ForwardChannels {
 public:
  explicit ForwardChannels(Port port) : port_(port) {}
  /// One message; malformed_input for an unknown channel, another port, or an endless error text.
  [[nodiscard]] Result<void> take(std::string_view message);
  /// Data that has come and was not taken yet.
  [[nodiscard]] std::string& data() { return data_.bytes; }
  [[nodiscard]] const std::string& trouble() const { return trouble_.bytes; }

 private:
  struct Channel {
    std::string prefix;  // the port's two bytes
    std::string bytes;
  };
  Port port_;
  Channel data_;
  Channel trouble_;
};

/// The data channel as a stream, so that TLS can be spoken over it. All are borrowed, and must
/// outlive it.
class ForwardStream final : public Stream {
 public:
  ForwardStream(Stream& lower, FrameReader& frames, ForwardChannels& channels)
      : lower_(lower), frames_(frames), channels_(channels) {}
  /// 0: the pod's end closed, or the node could not connect (see the channels' trouble).
  [[nodiscard]] Task<Result<std::size_t>> read_some(std::span<char> into) override;
  [[nodiscard]] Task<Result<void>> write_all(std::string_view bytes) override;
  [[nodiscard]] bool quiet() override { return channels_.data().empty() && !ended_; }
  void abort(const Error& why) override { lower_.abort(why); }

 private:
  /// One message; false: no more will come.
  [[nodiscard]] Task<Result<bool>> take_message();
  Stream& lower_;
  FrameReader& frames_;
  ForwardChannels& channels_;
  bool ended_ = false;
};

}  // namespace catflap::kube
