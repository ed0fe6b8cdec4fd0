// What each command is given, and where it stands. Each throws what arguments.hpp, output.hpp and client.hpp name.
#pragma once

#include "cli/arguments.hpp"

namespace penstock::cli {

int run_config(const Arguments& arguments);
int run_consumers(const Arguments& arguments);
int run_function(const Arguments& arguments);
int run_invoke(const Arguments& arguments);
int run_lag(const Arguments& arguments);
int run_logs(const Arguments& arguments);
int run_mapping(const Arguments& arguments);
int run_reset(const Arguments& arguments);
int run_tail(const Arguments& arguments);

void describe_config(cxxopts::Options& flags);
void describe_consumers(cxxopts::Options& flags);
void describe_function(cxxopts::Options& flags);
void describe_invoke(cxxopts::Options& flags);
void describe_lag(cxxopts::Options& flags);
void describe_logs(cxxopts::Options& flags);
void describe_mapping(cxxopts::Options& flags);
void describe_reset(cxxopts::Options& flags);
void describe_tail(cxxopts::Options& flags);

}  // namespace penstock::cli
