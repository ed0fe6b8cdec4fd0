# find_package(Penstock) gives Penstock::client: consumers with positions that the server keeps, as
# <penstock/client.hpp> has them.
include(CMakeFindDependencyMacro)
find_dependency(OpenSSL)
find_dependency(Threads)
find_dependency(simdjson)

if(NOT TARGET Penstock::client)
  get_filename_component(penstock_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
  add_library(Penstock::client STATIC IMPORTED)
  set_target_properties(Penstock::client PROPERTIES
    IMPORTED_LOCATION "${penstock_prefix}/lib/libpenstock_client.a"
    INTERFACE_INCLUDE_DIRECTORIES "${penstock_prefix}/include"
    INTERFACE_COMPILE_FEATURES cxx_std_20
    INTERFACE_LINK_LIBRARIES "OpenSSL::SSL;simdjson::simdjson;Threads::Threads")
  unset(penstock_prefix)
endif()
