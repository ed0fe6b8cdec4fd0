// What a PutRecords costs, step by step: each of the things that the server does with one, by itself, in one thread,
// over the same bytes, from its body to the words of its answer. HTTP is not in it; bench_bare_server is the measure of
// that. Steps that consist of others are measured as a whole too, so that what is left of them shows.
#include <chrono>
#include <cstdio>
#include <cxxopts.hpp>
#include <exception>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/kinesis.hpp"
#include "core/shard_engine.hpp"
#include "protocol/base64.hpp"
#include "protocol/cbor.hpp"
#include "protocol/digests.hpp"
#include "protocol/json.hpp"
#include "protocol/wire.hpp"
#include "storage/records.hpp"
#include "storage/rocksdb_store.hpp"

namespace {

using namespace penstock;
using Clock = std::chrono::steady_clock;

class RandomBits final : public Entropy {
 public:
  std::uint64_t next() override { return random_(); }

 private:
  std::mt19937_64 random_{1};
};

void check(const StoreError& error) {
  if (error) throw std::runtime_error(error.message);
}

/// How long each step took, all its turns together.
class Steps {
 public:
  template <class Step>
  auto time(const std::string& name, Step&& step) {
    const auto began = Clock::now();
    auto result = step();
    spent_[name] += Clock::now() - began;
    return result;
  }

  double microseconds(const std::string& name, std::uint64_t turns) const {
    const auto found = spent_.find(name);
    if (found == spent_.end()) return 0;
    return std::chrono::duration<double, std::micro>(found->second).count() / static_cast<double>(turns);
  }

  void forget() { spent_.clear(); }

 private:
  std::map<std::string, Clock::duration> spent_;
};

/// A server without its sockets and threads, which does one request after the other.
class Pipeline {
 public:
  Pipeline(const std::string& dir, const bench::Dialect& dialect, std::size_t records, std::size_t bytes)
      : dialect_(dialect), body_(bench::put_records_body(dialect, "steps", records, bytes, 1)) {
    for (std::size_t i = 0; i < records; ++i) {
      keys_.push_back(bench::random_text(bench::partition_key_bytes, i));
      texts_.push_back(protocol::base64_encode(bench::random_bytes(bytes, i)));
    }
    check(storage::open_rocksdb({dir}, store_));
    check(storage::open_format(*store_));
    Limits limits;
    limits.stream_transition = Millis{0};
    engine_ = core::make_engine(limits, entropy_);
    ask(bench::kinesis_json, "CreateStream", R"({"StreamName":"steps","ShardCount":4})");
  }

  std::size_t body_bytes() const { return body_.size(); }
  const Steps& steps() const { return steps_; }
  void forget() { steps_.forget(); }

  void turn(bool sync) {
    parts_of_reading();
    protocol::PreparedCall call = steps_.time("prepare", [&] { return prepare(dialect_, "PutRecords", body_); });
    Effects effects = steps_.time("engine", [&] {
      engine_->apply(CallId{1}, std::move(call.command), now());
      return engine_->take_effects();
    });
    WriteBatch batch = steps_.time("encode", [&] {
      WriteBatch encoded;
      storage::encode(effects.mutations, encoded);
      return encoded;
    });
    check(steps_.time(sync ? "commit_synced" : "commit", [&] { return store_->commit(batch, sync); }));
    const protocol::WireResponse answer =
        steps_.time("answer", [&] { return call.respond(std::move(effects.replies.at(0).result)); });
    if (answer.status != 200) throw std::runtime_error(answer.body);
    // What is freed is part of the work too.
    steps_.time("free", [&] {
      effects.mutations.clear();
      batch = {};
      return true;
    });
  }

 private:
  static Instant now() { return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now()); }

  /// What reading a body consists of, as far as it can be done apart.
  void parts_of_reading() {
    if (dialect_ == bench::kinesis_cbor) {
      steps_.time("parse", [&] { return protocol::parse_cbor(body_).index(); });
    } else {
      steps_.time("parse", [&] { return protocol::parse_json(body_).index(); });
      steps_.time("base64", [&] {
        std::size_t bytes = 0;
        for (const std::string& text : texts_) bytes += protocol::base64_decode(text)->size();
        return bytes;
      });
    }
    steps_.time("md5", [&] {
      std::size_t sum = 0;
      for (const std::string& key : keys_) sum += protocol::md5_of(key)[0];
      return sum;
    });
  }

  static protocol::PreparedCall prepare(const bench::Dialect& dialect, std::string_view operation,
                                        std::string_view body) {
    const std::string target = std::string(dialect.target).append(operation);
    const std::vector<protocol::Header> headers = {
        {"Host", "127.0.0.1:4566"}, {"Content-Type", dialect.content_type}, {"X-Amz-Target", target}};
    protocol::WireRequest request;
    request.method = "POST";
    request.target = "/";
    request.headers = headers;
    request.body = body;
    request.request_id = "2e97aea2-dfc4-4220-a062-10b856c5af7e";
    request.now = now();
    auto prepared = protocol::prepare(request, {});
    if (const auto* answer = std::get_if<protocol::WireResponse>(&prepared)) throw std::runtime_error(answer->body);
    return std::get<protocol::PreparedCall>(std::move(prepared));
  }

  void ask(const bench::Dialect& dialect, std::string_view operation, std::string_view body) {
    engine_->apply(CallId{1}, prepare(dialect, operation, body).command, now());
    engine_->advance(now());
    Effects effects = engine_->take_effects();
    WriteBatch batch;
    storage::encode(effects.mutations, batch);
    check(store_->commit(batch, true));
  }

  const bench::Dialect dialect_;
  const std::string body_;
  std::vector<std::string> keys_;
  std::vector<std::string> texts_;
  std::unique_ptr<Store> store_;
  RandomBits entropy_;
  std::unique_ptr<Engine> engine_;
  Steps steps_;
};

std::uint64_t run_for(double seconds, Pipeline& pipeline, bool sync) {
  const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  std::uint64_t turns = 0;
  for (; Clock::now() < until; ++turns) pipeline.turn(sync);
  return turns;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    cxxopts::Options options("bench_stream_steps", "What a PutRecords costs, step by step, in microseconds.");
    options.add_options()("dir", "a directory that does not exist yet; removed at the end",
                          cxxopts::value<std::string>())("cbor", "in CBOR instead of JSON")(
        "records", "of each PutRecords", cxxopts::value<std::size_t>()->default_value("500"))(
        "value-bytes", "of each record", cxxopts::value<std::size_t>()->default_value("1024"))(
        "seconds", "for each half, without syncs and with them", cxxopts::value<double>()->default_value("1.5"))(
        "help", "this text");
    const auto given = options.parse(argc, argv);
    if (given.count("help") > 0 || given.count("dir") == 0) {
      std::cout << options.help();
      return given.count("help") > 0 ? 0 : 2;
    }
    const std::string dir = given["dir"].as<std::string>();
    if (std::filesystem::exists(dir)) throw std::runtime_error(dir + " exists already");
    const double seconds = given["seconds"].as<double>();
    {
      Pipeline pipeline(dir, given.count("cbor") > 0 ? bench::kinesis_cbor : bench::kinesis_json,
                        given["records"].as<std::size_t>(), given["value-bytes"].as<std::size_t>());
      run_for(0.2, pipeline, false);
      pipeline.forget();
      const std::uint64_t turns = run_for(seconds, pipeline, false);
      const std::uint64_t synced = run_for(seconds, pipeline, true);
      const auto us = [&](const char* name) { return pipeline.steps().microseconds(name, turns + synced); };
      std::printf(
          "{\"body_bytes\":%zu,\"turns\":%llu,\"parse\":%.1f,\"base64\":%.1f,\"md5\":%.1f,\"prepare\":%.1f,"
          "\"engine\":%.1f,\"encode\":%.1f,\"answer\":%.1f,\"free\":%.1f,\"commit\":%.1f,\"commit_synced\":%.1f,"
          "\"errors\":0}\n",
          pipeline.body_bytes(), static_cast<unsigned long long>(turns + synced), us("parse"), us("base64"), us("md5"),
          us("prepare"), us("engine"), us("encode"), us("answer"), us("free"),
          pipeline.steps().microseconds("commit", turns), pipeline.steps().microseconds("commit_synced", synced));
    }
    std::filesystem::remove_all(dir);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "bench_stream_steps: " << error.what() << "\n";
    return 1;
  }
}
