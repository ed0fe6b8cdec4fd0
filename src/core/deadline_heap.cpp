#include "core/deadline_heap.hpp"

#include <algorithm>
#include <cassert>

namespace penstock::core {

DeadlineHeap::Handle DeadlineHeap::add(Instant when, Due due) {
  Handle handle = none;
  if (free_.empty()) {
    handle = static_cast<Handle>(slots_.size());
    slots_.emplace_back();
  } else {
    handle = free_.back();
    free_.pop_back();
  }
  slots_[handle].due = due;
  heap_.push_back(Node{when, ++order_, handle});
  slots_[handle].position = heap_.size() - 1;
  rise(heap_.size() - 1);
  return handle;
}

void DeadlineHeap::move(Handle handle, Instant when) {
  const std::size_t position = slots_[handle].position;
  assert(heap_[position].handle == handle);
  heap_[position].when = when;
  heap_[position].order = ++order_;
  rise(position);
  sink(slots_[handle].position);
}

void DeadlineHeap::remove(Handle handle) {
  const std::size_t position = slots_[handle].position;
  assert(heap_[position].handle == handle);
  take_out(position);
  free_.push_back(handle);
}

std::optional<Instant> DeadlineHeap::next() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front().when;
}

Due DeadlineHeap::pop() {
  const Handle handle = heap_.front().handle;
  const Due due = slots_[handle].due;
  take_out(0);
  free_.push_back(handle);
  return due;
}

void DeadlineHeap::place(std::size_t position, const Node& node) {
  heap_[position] = node;
  slots_[node.handle].position = position;
}

void DeadlineHeap::rise(std::size_t position) {
  const Node node = heap_[position];
  while (position > 0) {
    const std::size_t parent = (position - 1) / arity;
    if (!before(node, heap_[parent])) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, node);
}

void DeadlineHeap::sink(std::size_t position) {
  const Node node = heap_[position];
  for (;;) {
    const std::size_t first = position * arity + 1;
    if (first >= heap_.size()) break;
    const std::size_t last = std::min(first + arity, heap_.size());
    std::size_t least = first;
    for (std::size_t child = first + 1; child < last; ++child) {
      if (before(heap_[child], heap_[least])) least = child;
    }
    if (!before(heap_[least], node)) break;
    place(position, heap_[least]);
    position = least;
  }
  place(position, node);
}

void DeadlineHeap::take_out(std::size_t position) {
  const Node last = heap_.back();
  heap_.pop_back();
  if (position == heap_.size()) return;
  place(position, last);
  rise(position);
  sink(slots_[last.handle].position);
}

}  // namespace penstock::core
