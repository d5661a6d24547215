#include "kube/parallel.hpp"

#include <algorithm>

namespace catflap::kube {

namespace {

struct Work {
  std::size_t count;
  const std::function<Task<void>(std::size_t)>& one;
  std::size_t next = 0;
  std::size_t running = 0;
  Scope finished;  // ended by the last worker, which wakes the one who waits
};

Task<void> work(Work& shared) {
  while (shared.next < shared.count) co_await shared.one(shared.next++);
  if (--shared.running == 0) shared.finished.abort(Error{.what = "all calls have ended"});
}

}  // namespace

Task<void> for_each_parallel(Scope& scope, std::size_t count, std::size_t parallel,
                             const std::function<Task<void>(std::size_t)>& one) {
  if (count == 0) co_return;
  Work shared{.count = count, .one = one, .finished = Scope(scope.loop())};
  shared.running = std::min(std::max<std::size_t>(parallel, 1), count);
  for (std::size_t i = 0, n = shared.running; i < n; ++i) scope.loop().spawn(work(shared));
  while (shared.running > 0) (void)co_await sleep_for(shared.finished, std::chrono::minutes{1});
}

}  // namespace catflap::kube
