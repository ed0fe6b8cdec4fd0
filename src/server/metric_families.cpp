#include "server/metric_families.hpp"

#include <prometheus/text_serializer.h>

#include <iterator>
#include <sstream>

namespace penstock::server {

void MetricFamily::add(double value, const MetricLabels& labels) {
  prometheus::ClientMetric& metric = add_metric(labels);
  (family_->type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
}

prometheus::ClientMetric& MetricFamily::add_metric(const MetricLabels& labels) {
  prometheus::ClientMetric& metric = family_->metric.emplace_back();
  metric.label.reserve(labels.size());
  for (const auto& [name, value] : labels) metric.label.push_back({std::string(name), value});
  return metric;
}

MetricFamily MetricFamilies::begin(std::string_view name, std::string_view help, prometheus::MetricType type) {
  prometheus::MetricFamily& family = families_.emplace_back();
  family.name = name;
  family.help = help;
  family.type = type;
  return MetricFamily(family);
}

MetricFamily MetricFamilies::counter(std::string_view name, std::string_view help) {
  return begin(name, help, prometheus::MetricType::Counter);
}

MetricFamily MetricFamilies::gauge(std::string_view name, std::string_view help) {
  return begin(name, help, prometheus::MetricType::Gauge);
}

MetricFamily MetricFamilies::histogram(std::string_view name, std::string_view help) {
  return begin(name, help, prometheus::MetricType::Histogram);
}

std::string MetricFamilies::take_text() {
  std::vector<prometheus::MetricFamily> families;
  for (prometheus::MetricFamily& family : families_) {
    if (!family.metric.empty()) families.push_back(std::move(family));
  }
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return std::move(out).str();
}

}  // namespace penstock::server
