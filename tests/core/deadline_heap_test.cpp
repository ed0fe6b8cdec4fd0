#include "core/deadline_heap.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>
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

// Moments that are those of their deadlines, later ones, or none.
TEST(DeadlineHeap, FindsTheFirstMomentWithoutTakingAnythingOff) {
  const auto moment_of = [](const Due& due, Instant when) -> std::optional<Instant> {
    if (due.id % 3 == 0) return std::nullopt;
    return due.id % 3 == 1 ? when : when + Millis{static_cast<std::int64_t>(due.id * 7 % 40)};
  };
  EXPECT_EQ(DeadlineHeap().first_moment(moment_of), std::nullopt);
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    DeadlineHeap heap;
    std::optional<Instant> first;
    const auto count = random() % 60;
    for (std::uint64_t added = 0; added < count; ++added) {
      // In some nearly all are none.
      const std::uint64_t id = seed % 2 == 0 ? random() % 100 : 3 * added + (random() % 30 == 0 ? 1 : 0);
      const Instant when = from_epoch_ms(static_cast<std::int64_t>(random() % 100));
      heap.add(when, Due{Due::Kind::message, nullptr, id});
      const auto moment = moment_of(Due{Due::Kind::message, nullptr, id}, when);
      if (moment && (!first || *moment < *first)) first = moment;
    }
    EXPECT_EQ(heap.first_moment(moment_of), first);
    EXPECT_EQ(heap.size(), count);
  }
}

TEST(DeadlineHeap, LooksOnlyAtWhatComesBeforeTheFirstMoment) {
  DeadlineHeap heap;
  for (std::int64_t i = 0; i < 10'000; ++i) heap.add(from_epoch_ms(i), Due{Due::Kind::message, nullptr, 1});
  int looked = 0;
  heap.first_moment([&looked](const Due&, Instant when) {
    ++looked;
    return to_epoch_ms(when) < 3 ? std::nullopt : std::optional(when);
  });
  EXPECT_LT(looked, 30);
}

}  // namespace
}  // namespace penstock::core
