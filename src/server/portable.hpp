// What an export is made of: JSON, one document a line, the first of which says what it is. The others are
//
//   {"account", "region", "create": {request}, "then": [{request}, ...]}    something that there is, and its settings
//   {"account", "region", "queue", "message": {...}}                        a message of a queue, in its order
//   {"account", "region", "stream", "record": {...}}                        a record of a stream, in its shard's order
//
// A request is one that clients send, such as {"service": "sqs", "operation": "CreateQueue", "input": {...}}; of those
// that are told apart by their paths, {"method", "path", "input"}. Queues that are each other's dead-letter queues are
// made by one line, whose "create" is a list. So an export says what it means to whoever knows the services, and an
// import is what these requests do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/importer.hpp"

namespace penstock::server::portable {

inline constexpr std::string_view path_of_export = "/_penstock/export";
inline constexpr std::string_view path_of_import = "/_penstock/import";
inline constexpr std::string_view content_type = "application/jsonl";

inline constexpr std::int64_t format = 1;
/// Of the lines that are made, or taken in, at a time. A line may go beyond it: the code of a function is part of one.
inline constexpr std::size_t piece_bytes = 256U << 10U;
/// Messages or records that one command puts in.
inline constexpr std::size_t batch_count_max = 100;
inline constexpr std::size_t batch_bytes_max = 4U << 20U;
/// Problems that an import tells of; the others are counted.
inline constexpr std::size_t problems_max = 100;

/// What whoever imports is told.
std::string answer_of(const Imported& imported);

}  // namespace penstock::server::portable
