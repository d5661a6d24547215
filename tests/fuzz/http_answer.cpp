// What a listener on a node answers to GET /metrics. How the bytes are cut must not change what is
// understood.
#include "net/http_answer.hpp"

#include "planted.hpp"

using catflap::net::HttpAnswer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = text_of(data, size);
  HttpAnswer whole(1u << 16);
  whole.feed(text);
  HttpAnswer bytes(1u << 16);
  for (const char& byte : text) bytes.feed({&byte, 1});
  require(whole.state() == bytes.state() && whole.status() == bytes.status());
  require(whole.identity() == bytes.identity() && whole.felix_host() == bytes.felix_host());
  whole.end_of_stream();
  require(whole.excerpt().size() <= 2048);
  // felix_host in the second chunk of a chunked body.
  planted(whole.identity() == catflap::Identity::felix && text.find("\r\n2\r\n") != text.npos);
  return 0;
}
