#include "core/deadline_heap.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace penstock::core {
namespace {

TEST(DeadlineHeap, GivesEqualInstantsInTheOrderInWhichTheyWereSet) {
  DeadlineHeap heap;
  for (std::uint64_t id = 0; id < 20; ++id) heap.add(from_epoch_ms(7), Due{Due::Kind::message, nullptr, id});
  for (std::uint64_t id = 0; id < 20; ++id) EXPECT_EQ(heap.pop().id, id);
  EXPECT_TRUE(heap.empty());
  EXPECT_FALSE(heap.next());
}

// Against an ordered map, through random additions, moves, removals and pops.
TEST(DeadlineHeap, AgreesWithAnOrderedMap) {
  for (std::uint32_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    DeadlineHeap heap;
    using Key = std::pair<Instant, std::uint64_t>;
    std::map<Key, std::uint64_t> naive;  // to the id
    std::map<std::uint64_t, std::pair<Key, DeadlineHeap::Handle>> live;
    std::uint64_t order = 0;
    std::uint64_t ids = 0;
    for (int step = 0; step < 2'000; ++step) {
      const Instant when = from_epoch_ms(static_cast<std::int64_t>(random() % 100));
      const auto choice = random() % 4;
      if (choice == 0 || live.empty()) {
        const std::uint64_t id = ++ids;
        const auto handle = heap.add(when, Due{Due::Kind::message, nullptr, id});
        const Key key{when, ++order};
        naive[key] = id;
        live[id] = {key, handle};
      } else {
        auto chosen = std::next(live.begin(), static_cast<std::ptrdiff_t>(random() % live.size()));
        if (choice == 1) {
          heap.move(chosen->second.second, when);
          naive.erase(chosen->second.first);
          chosen->second.first = {when, ++order};
          naive[chosen->second.first] = chosen->first;
        } else if (choice == 2) {
          heap.remove(chosen->second.second);
          naive.erase(chosen->second.first);
          live.erase(chosen);
        } else {
          ASSERT_EQ(heap.next(), naive.begin()->first.first);
          const std::uint64_t id = heap.pop().id;
          ASSERT_EQ(id, naive.begin()->second);
          live.erase(id);
          naive.erase(naive.begin());
        }
      }
      ASSERT_EQ(heap.size(), naive.size());
    }
  }
}

}  // namespace
}  // namespace penstock::core
