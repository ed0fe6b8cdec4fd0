// What the pools of the tests start as their keeper, as the server starts itself.
#include <cstdlib>

#include "runner/keeper.hpp"

int main(int argc, char** argv) { return penstock::runner::run_keeper(argc == 3 ? std::atoi(argv[2]) : -1); }
