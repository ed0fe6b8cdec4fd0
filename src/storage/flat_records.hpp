// What the files that turn records into bytes and back share. Nothing else may include it: the flatbuffers code stays
// with them.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "penstock/commands.hpp"
#include "penstock/store.hpp"
#include "records_generated.h"
#include "storage/keys.hpp"

namespace penstock::storage {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using flatbuffers::String;

template <class Record>
using FlatVector = flatbuffers::Vector<Offset<Record>>;

/// A builder that a large message has grown beyond this gives its memory back.
inline constexpr std::size_t builder_bytes_kept_max = 256U << 10U;
/// The alignment of the largest scalar of a record, which flatbuffers' accessors rely on.
inline constexpr std::size_t record_alignment = 8;

inline StoreError corrupt(std::string message) { return {StoreStatus::corrupt, std::move(message)}; }

inline void drop_range(WriteBatch& batch, Table table, const KeyRange& range) {
  batch.drop_range(table, range.from.view(), range.until.view());
}

// ---- Encoding.

/// The builder of this thread, empty.
inline FlatBufferBuilder& empty_builder() {
  thread_local FlatBufferBuilder builder;
  builder.Clear();
  return builder;
}

inline std::string_view finished_bytes(const FlatBufferBuilder& builder) {
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

inline void put_finished(FlatBufferBuilder& builder, Table table, const Key& key, WriteBatch& batch) {
  batch.put(table, key.view(), finished_bytes(builder));
  if (builder.GetSize() > builder_bytes_kept_max) builder.Reset();
}

inline Offset<String> build_string(FlatBufferBuilder& builder, const std::string& text) {
  return builder.CreateString(text.data(), text.size());
}

/// A null offset for an empty text, which then takes no room in the record.
inline Offset<String> build_optional_string(FlatBufferBuilder& builder, const std::string& text) {
  return text.empty() ? Offset<String>{} : build_string(builder, text);
}

inline Offset<FlatVector<fb::Pair>> build_pairs(FlatBufferBuilder& builder, const StringMap& map) {
  if (map.empty()) return {};
  std::vector<Offset<fb::Pair>> pairs;
  pairs.reserve(map.size());
  for (const auto& [name, value] : map) {
    const auto built_name = build_string(builder, name);
    pairs.push_back(fb::CreatePair(builder, built_name, build_optional_string(builder, value)));
  }
  return builder.CreateVector(pairs);
}

// ---- Decoding.

/// Bytes where flatbuffers may read them: those given, or a copy of this thread's if they lie at an odd address. A
/// store hands out views into its blocks, which know nothing of a record's alignment. The view lives until the next
/// call in this thread.
inline std::string_view align_record(std::string_view bytes) {
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % record_alignment == 0) return bytes;
  thread_local std::vector<std::uint64_t> copy;
  copy.resize(bytes.size() / sizeof(std::uint64_t) + 1);
  std::memcpy(copy.data(), bytes.data(), bytes.size());
  const std::string_view aligned{reinterpret_cast<const char*>(copy.data()), bytes.size()};
  return aligned;
}

/// The record in `bytes`, or null if they do not hold a whole one of that kind.
template <class Record>
const Record* verified(std::string_view bytes, const char* identifier) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  // The verifier itself takes it for granted that the root offset and the identifier are there.
  if (bytes.size() < sizeof(flatbuffers::uoffset_t) + flatbuffers::kFileIdentifierLength) return nullptr;
  flatbuffers::Verifier verifier{data, bytes.size()};
  if (!verifier.VerifyBuffer<Record>(identifier)) return nullptr;
  return flatbuffers::GetRoot<Record>(data);
}

inline std::string text_of(const String* text) { return text == nullptr ? std::string{} : text->str(); }

inline StringMap map_of(const FlatVector<fb::Pair>* pairs) {
  StringMap map;
  if (pairs == nullptr) return map;
  for (const fb::Pair* pair : *pairs) map.emplace(text_of(pair->name()), text_of(pair->value()));
  return map;
}

// ---- A start. Entries of one kind lie together in the catalog, in the order of those that they belong to, and so each
// kind is read once.

/// Gives each entry of `range` to `take`, which answers whether it is whole and belongs somewhere.
inline StoreError read_entries(const Store& store, const KeyRange& range, const char* what,
                               const std::function<bool(std::string_view key, std::string_view value)>& take) {
  bool intact = true;
  const auto visit = [&](std::string_view key, std::string_view value) { return intact = take(key, value); };
  if (StoreError error = store.scan(Table::catalog, range.from.view(), range.until.view(), visit)) return error;
  if (!intact) return corrupt(std::string{what} + " in the catalog");
  return {};
}

}  // namespace penstock::storage
