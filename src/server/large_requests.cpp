#include "server/large_requests.hpp"

#include <boost/asio/post.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace penstock::server {

namespace asio = boost::asio;
using protocol::WireRequest;

namespace {

/// A request that outlives its session's buffers.
class KeptRequest {
 public:
  explicit KeptRequest(const WireRequest& given)
      : request_(given), method_(given.method), target_(given.target), body_(given.body), id_(given.request_id) {
    for (const protocol::Header& header : given.headers) texts_.emplace_back(header.name, header.value);
    for (const auto& [name, value] : texts_) headers_.push_back({name, value});
    request_.method = method_;
    request_.target = target_;
    request_.headers = headers_;
    request_.body = body_;
    request_.request_id = id_;
  }
  KeptRequest(const KeptRequest&) = delete;
  KeptRequest& operator=(const KeptRequest&) = delete;
  ~KeptRequest() = default;

  const WireRequest& view() const { return request_; }

 private:
  WireRequest request_;
  const std::string method_;
  const std::string target_;
  const std::string body_;
  const std::string id_;
  std::vector<std::pair<std::string, std::string>> texts_;
  std::vector<protocol::Header> headers_;
};

}  // namespace

LargeRequests::~LargeRequests() {
  if (pool_) pool_->join();
}

bool LargeRequests::read(const WireRequest& request, Read read, const asio::any_io_executor& executor,
                         Understood understood) {
  const std::size_t bytes = request.body.size();
  if (bytes_.fetch_add(bytes) + bytes > bytes_max) {
    bytes_ -= bytes;
    return false;
  }
  std::call_once(begun_, [this] { pool_.emplace(1); });
  asio::post(*pool_, [this, bytes, executor, kept = std::make_unique<KeptRequest>(request), read = std::move(read),
                      done = std::move(understood)]() mutable {
    protocol::Prepared prepared = read(kept->view());
    asio::post(executor,
               [this, bytes, kept = std::move(kept), done = std::move(done), prepared = std::move(prepared)]() mutable {
                 done(std::move(prepared), kept->view());
                 bytes_ -= bytes;
               });
  });
  return true;
}

}  // namespace penstock::server
