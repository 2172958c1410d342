//===- parallel.cpp - Loops over all cores --------------------------------===//

#include "parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace fa3::run {

void parallelFor(int64_t count, int64_t grain,
                 const std::function<void(int64_t, int64_t)> &body) {
  std::atomic<int64_t> next{0};
  const auto work = [&] {
    for (int64_t begin; (begin = next.fetch_add(grain)) < count;)
      body(begin, std::min(begin + grain, count));
  };
  const int64_t ranges = (count + grain - 1) / grain;
  const int64_t threads =
      std::min<int64_t>(std::thread::hardware_concurrency(), ranges);
  std::vector<std::jthread> helpers;
  for (int64_t i = 1; i < threads; ++i)
    helpers.emplace_back(work);
  work();
}

} // namespace fa3::run
