#include "cli/names.hpp"

#include <iterator>
#include <utility>

#include "cli/stream_shapes.hpp"
#include "penstock/limits.hpp"
#include "protocol/kinesis/describe_operations.hpp"
#include "protocol/sqs/queue_operations.hpp"

namespace penstock::cli {

namespace {

void append(std::vector<std::string>& all, std::optional<std::vector<std::string>>& page) {
  if (page) std::move(page->begin(), page->end(), std::back_inserter(all));
}

}  // namespace

std::vector<std::string> queue_urls(Server& server, const std::string& prefix, std::size_t enough) {
  std::vector<std::string> urls;
  protocol::sqs::ListQueuesRequest input;
  if (!prefix.empty()) input.queue_name_prefix = prefix;
  input.max_results = sqs_limits::list_results_max;
  do {
    auto page = server.sqs<protocol::sqs::ListQueuesOperation>(input);
    append(urls, page.queue_urls);
    input.next_token = page.next_token;
  } while (input.next_token && urls.size() < enough);
  return urls;
}

std::vector<std::string> stream_names(Server& server, std::size_t enough) {
  std::vector<std::string> names;
  protocol::kinesis::ListStreamsInput input;
  bool more = true;
  while (more && names.size() < enough) {
    if (!names.empty()) input.exclusive_start_stream_name = names.back();
    auto page = server.kinesis<protocol::kinesis::ListStreamsOperation, wire::StreamNames>(input);
    const std::size_t before = names.size();
    append(names, page.names);
    more = page.more.value_or(false) && names.size() > before;
  }
  return names;
}

}  // namespace penstock::cli
