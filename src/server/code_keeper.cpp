#include "server/code_keeper.hpp"

#include <boost/asio/post.hpp>
#include <utility>

namespace penstock::server {

namespace asio = boost::asio;

CodeKeeper::CodeKeeper(asio::io_context& context, std::unique_ptr<CodeShelf> shelf)
    : context_(context), shelf_(std::move(shelf)) {}

CodeKeeper::~CodeKeeper() {
  if (pool_) pool_->join();
}

asio::thread_pool& CodeKeeper::pool() {
  if (!pool_) pool_.emplace(1);
  return *pool_;
}

void CodeKeeper::put(std::string zip, std::function<void(std::variant<KeptCode, Error>)> kept) {
  ++puts_;
  asio::post(pool(), [this, zip = std::move(zip), kept = std::move(kept)]() mutable {
    auto outcome = shelf_->put(zip);
    asio::post(context_, [this, kept = std::move(kept), outcome = std::move(outcome)]() mutable {
      --puts_;
      kept(std::move(outcome));
    });
  });
}

void CodeKeeper::read(std::string sha256, std::function<void(std::optional<std::string>)> read) {
  asio::post(pool(), [this, sha256 = std::move(sha256), read = std::move(read)]() mutable {
    auto zip = shelf_->read(sha256);
    asio::post(context_, [read = std::move(read), zip = std::move(zip)]() mutable { read(std::move(zip)); });
  });
}

void CodeKeeper::keep_only(std::set<std::string> sha256s, std::function<void(bool all_dropped)> swept) {
  asio::post(pool(), [this, kept = std::move(sha256s), swept = std::move(swept)]() mutable {
    const bool all_dropped = shelf_->keep_only(kept);
    asio::post(context_, [swept = std::move(swept), all_dropped] { swept(all_dropped); });
  });
}

}  // namespace penstock::server
