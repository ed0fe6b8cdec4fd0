#include "protocol/pattern.hpp"

#include <bit>

namespace penstock::protocol {

void Pattern::enter(Steps& steps, std::size_t step) const {
  while (true) {
    const std::uint64_t bit = std::uint64_t{1} << (step % 64);
    // What comes after a step that is in the set is in it too, so that a character costs no more than all steps.
    if ((steps[step / 64] & bit) != 0) return;
    steps[step / 64] |= bit;
    if (!steps_[step].optional) return;
    ++step;
  }
}

bool Pattern::matches(std::string_view text) const {
  if (matches_ != nullptr) return matches_(text);
  Steps here{};
  enter(here, 0);
  for (std::size_t step = 0; step + 1 < count_; ++step) {
    if (steps_[step].ends) enter(here, step + 1);
  }
  for (const char c : text) {
    Steps next{};
    bool any = false;
    for (std::size_t word = 0; word < here.size(); ++word) {
      for (std::uint64_t bits = here[word]; bits != 0; bits &= bits - 1) {
        const std::size_t step = 64 * word + static_cast<std::size_t>(std::countr_zero(bits));
        if (!steps_[step].bytes.has(static_cast<unsigned char>(c))) continue;
        any = true;
        if (steps_[step].repeats) enter(next, step);
        enter(next, step + 1);
      }
    }
    if (!any) return false;
    here = next;
  }
  for (std::size_t step = 0; step < count_; ++step) {
    if (steps_[step].ends && ((here[step / 64] >> (step % 64)) & 1U) != 0) return true;
  }
  return false;
}

}  // namespace penstock::protocol
