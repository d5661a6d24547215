#include "kube/inflate.hpp"

#include <zlib.h>

#include "base/check.hpp"

namespace catflap::kube {

struct Inflate::Stream {
  z_stream z{};
  Stream() {
    CHECK(inflateInit2(&z, 15 + 16) == Z_OK, "zlib cannot start: out of memory");
  }  // 16: gzip only
  ~Stream() { inflateEnd(&z); }
};

Inflate::Inflate() : stream_(std::make_unique<Stream>()) {}
Inflate::~Inflate() = default;

Result<void> Inflate::feed(std::string_view bytes, std::string& out) {
  z_stream& z = stream_->z;
  z.next_in =
      reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib does not write to it
  z.avail_in = static_cast<uInt>(bytes.size());
  while (z.avail_in > 0 && !complete_) {
    char buffer[32768];
    do {
      z.next_out = reinterpret_cast<Bytef*>(buffer);
      z.avail_out = sizeof buffer;
      int code = inflate(&z, Z_NO_FLUSH);
      out.append(buffer, sizeof buffer - z.avail_out);
      if (code == Z_STREAM_END) {
        complete_ = true;
        break;
      }
      if (code != Z_OK && code != Z_BUF_ERROR) {
        return Error{.kind = ErrorKind::malformed_input, .what = "the gzip data are damaged"};
      }
    } while (z.avail_out == 0);
  }
  if (complete_ && z.avail_in > 0) {
    return Error{.kind = ErrorKind::malformed_input, .what = "something follows the gzip data"};
  }
  return {};
}

}  // namespace catflap::kube
