// What each command is given, and where it stands. Each throws what arguments.hpp, output.hpp, interrupt.hpp and
// client.hpp name. One more command is a file with these two functions, and its row in commands.cpp.
#pragma once

#include "cli/arguments.hpp"

namespace penstock::cli {

int run_backup(const Arguments& arguments);
int run_check(const Arguments& arguments);
int run_clock(const Arguments& arguments);
int run_completion(const Arguments& arguments);
int run_config(const Arguments& arguments);
int run_consumers(const Arguments& arguments);
int run_env(const Arguments& arguments);
int run_fault(const Arguments& arguments);
int run_function(const Arguments& arguments);
int run_functions(const Arguments& arguments);
int run_idle(const Arguments& arguments);
int run_invoke(const Arguments& arguments);
int run_lag(const Arguments& arguments);
int run_logs(const Arguments& arguments);
int run_mapping(const Arguments& arguments);
int run_peek(const Arguments& arguments);
int run_purge(const Arguments& arguments);
int run_put(const Arguments& arguments);
int run_queues(const Arguments& arguments);
int run_receive(const Arguments& arguments);
int run_redrive(const Arguments& arguments);
int run_reset(const Arguments& arguments);
int run_restore(const Arguments& arguments);
int run_send(const Arguments& arguments);
int run_state(const Arguments& arguments);
int run_streams(const Arguments& arguments);
int run_tail(const Arguments& arguments);
int run_why(const Arguments& arguments);

/// Of a command that has no flags of its own.
inline void describe_nothing(cxxopts::Options&) {}

void describe_check(cxxopts::Options& flags);
void describe_clock(cxxopts::Options& flags);
void describe_config(cxxopts::Options& flags);
void describe_env(cxxopts::Options& flags);
void describe_function(cxxopts::Options& flags);
void describe_idle(cxxopts::Options& flags);
void describe_invoke(cxxopts::Options& flags);
void describe_lag(cxxopts::Options& flags);
void describe_logs(cxxopts::Options& flags);
void describe_mapping(cxxopts::Options& flags);
void describe_peek(cxxopts::Options& flags);
void describe_put(cxxopts::Options& flags);
void describe_queues(cxxopts::Options& flags);
void describe_receive(cxxopts::Options& flags);
void describe_redrive(cxxopts::Options& flags);
void describe_reset(cxxopts::Options& flags);
void describe_send(cxxopts::Options& flags);
void describe_restore(cxxopts::Options& flags);
void describe_state(cxxopts::Options& flags);
void describe_tail(cxxopts::Options& flags);

}  // namespace penstock::cli
