// Metrics as Prometheus takes them: families of values that differ in their labels, written as its text.
#pragma once

#include <prometheus/metric_family.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "penstock/histogram.hpp"

namespace penstock::server {

using MetricLabels = std::vector<std::pair<std::string_view, std::string>>;

/// One name of a metric. Refers to the families that it is one of.
class MetricFamily {
 public:
  explicit MetricFamily(prometheus::MetricFamily& family) : family_(&family) {}

  /// REQUIRES: no other value of the family has the same labels. The same of those below.
  void add(double value, const MetricLabels& labels = {});
  void add(std::uint64_t value, const MetricLabels& labels = {}) { add(static_cast<double>(value), labels); }

  template <const auto& bounds>
  void add(const Histogram<bounds>& histogram, const MetricLabels& labels = {}) {
    prometheus::ClientMetric& metric = add_metric(labels);
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < histogram.counts().size(); ++i) {
      cumulative += histogram.counts()[i];
      const double bound = i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity();
      metric.histogram.bucket.push_back({cumulative, bound});
    }
    metric.histogram.sample_count = cumulative;
    metric.histogram.sample_sum = histogram.sum();
  }

 private:
  prometheus::ClientMetric& add_metric(const MetricLabels& labels);

  prometheus::MetricFamily* family_;
};

class MetricFamilies {
 public:
  /// `help` is one sentence without its full stop. The name of a counter ends in _total, and that of no other does.
  MetricFamily counter(std::string_view name, std::string_view help);
  MetricFamily gauge(std::string_view name, std::string_view help);
  MetricFamily histogram(std::string_view name, std::string_view help);

  /// In the order in which they were made. Those without a value are left out.
  /// REQUIRES: called once.
  std::string take_text();

 private:
  MetricFamily begin(std::string_view name, std::string_view help, prometheus::MetricType type);

  std::deque<prometheus::MetricFamily> families_;
};

}  // namespace penstock::server
