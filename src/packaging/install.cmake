# What `cmake --install` puts where, and the Debian packages that the target `packages` makes of it with CPack: penstock
# and, for consumers in C++, penstock-dev.

set(packaging ${CMAKE_CURRENT_LIST_DIR})
set(packaged ${PROJECT_BINARY_DIR}/packaging)
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME penstock)

install(TARGETS penstock)

# ---- The manual page and the completions, as the program itself tells them

set(manual ${packaged}/penstock.1)
add_custom_command(
  OUTPUT ${manual}
  COMMAND ${CMAKE_COMMAND} -DPENSTOCK=$<TARGET_FILE:penstock> -DTEMPLATE=${packaging}/penstock.1.in -DOUTPUT=${manual}
          -P ${packaging}/man.cmake
  DEPENDS penstock ${packaging}/penstock.1.in ${packaging}/man.cmake
  COMMENT "Writing penstock.1"
  VERBATIM)
add_custom_target(penstock_manual ALL DEPENDS ${manual})
install(FILES ${manual} DESTINATION share/man/man1)

set(completions ${packaged}/completions)
set(completion_scripts ${completions}/penstock ${completions}/_penstock ${completions}/penstock.fish)
add_custom_command(
  OUTPUT ${completion_scripts}
  COMMAND ${CMAKE_COMMAND} -DPENSTOCK=$<TARGET_FILE:penstock> -DOUTPUT=${completions} -P ${packaging}/completions.cmake
  DEPENDS penstock ${packaging}/completions.cmake
  COMMENT "Writing the completions"
  VERBATIM)
add_custom_target(penstock_completions ALL DEPENDS ${completion_scripts})
install(FILES ${completions}/penstock DESTINATION share/bash-completion/completions)
install(FILES ${completions}/penstock.fish DESTINATION share/fish/vendor_completions.d)

# ---- The service, and the user that it runs as

install(FILES ${packaging}/penstock.service DESTINATION lib/systemd/system)
install(FILES ${packaging}/sysusers.conf DESTINATION lib/sysusers.d RENAME penstock.conf)

# ---- What lies elsewhere when all of it is below /usr, which only the installation knows. file(INSTALL) puts DESTDIR
# before a destination by itself.

install(CODE "set(packaging [[${packaging}]])\nset(completions [[${completions}]])")
install(CODE [[
  set(etc "${CMAKE_INSTALL_PREFIX}/etc")
  set(zsh "${CMAKE_INSTALL_PREFIX}/share/zsh/site-functions")
  if(CMAKE_INSTALL_PREFIX MATCHES "^(.*)/usr/?$")
    set(etc "${CMAKE_MATCH_1}/etc")
    # Where Debian's zsh looks for what packages bring.
    set(zsh "${CMAKE_INSTALL_PREFIX}/share/zsh/vendor-completions")
  endif()
  file(INSTALL "${completions}/_penstock" DESTINATION "${zsh}")
  # What the service is set up by is its administrator's, and never written over.
  if(NOT EXISTS "$ENV{DESTDIR}${etc}/penstock/penstock.yaml")
    file(INSTALL "${packaging}/penstock.yaml" DESTINATION "${etc}/penstock")
  endif()
]])

# ---- The terms of the libraries that the binaries have within them, as Debian's packages state them. Boost's, of which
# that would be 2 MB, ask for nothing where there are only binaries.

set(copyright "Penstock has within it the libraries whose terms follow, each as its Debian package states them.\n")
foreach(package librocksdb-dev libsnappy-dev libbz2-dev zlib1g-dev liblz4-dev libzstd-dev libgflags-dev
                libnghttp2-dev libpugixml-dev libyaml-cpp-dev libflatbuffers-dev rapidjson-dev libcxxopts-dev)
  if(EXISTS /usr/share/doc/${package}/copyright)
    file(READ /usr/share/doc/${package}/copyright terms)
    string(APPEND copyright "\n==== ${package}\n\n${terms}")
  endif()
endforeach()
file(CONFIGURE OUTPUT ${packaged}/copyright CONTENT "@copyright@" @ONLY)
install(FILES ${packaged}/copyright DESTINATION share/doc/penstock)
install(FILES ${packaged}/copyright DESTINATION share/doc/penstock-dev COMPONENT dev)

# ---- For consumers in C++: one archive with all that the client needs of the other layers

set(archive ${packaged}/libpenstock_client.a)
set(needed $<TARGET_FILE:penstock_protocol> $<TARGET_FILE:penstock_asio> $<TARGET_FILE:Boost::url>)
find_program(OBJCOPY objcopy REQUIRED)
add_custom_command(
  OUTPUT ${archive}
  COMMAND ${CMAKE_COMMAND} -DLINKER=${CMAKE_LINKER} -DNM=${CMAKE_NM} -DOBJCOPY=${OBJCOPY} -DAR=${CMAKE_AR}
          -DCLIENT=$<TARGET_FILE:penstock_client> "-DNEEDED=${needed}" -DOUTPUT=${archive} -P ${packaging}/archive.cmake
  DEPENDS penstock_client penstock_protocol penstock_asio ${packaging}/archive.cmake
  COMMENT "Putting together libpenstock_client.a"
  VERBATIM)
add_custom_target(penstock_client_archive ALL DEPENDS ${archive})
install(FILES ${archive} DESTINATION lib COMPONENT dev)
install(FILES ${PROJECT_SOURCE_DIR}/include/penstock/client.hpp DESTINATION include/penstock COMPONENT dev)
include(CMakePackageConfigHelpers)
set(version_file ${packaged}/PenstockConfigVersion.cmake)
write_basic_package_version_file(${version_file} COMPATIBILITY SameMinorVersion)
install(FILES ${packaging}/PenstockConfig.cmake ${version_file} DESTINATION lib/cmake/Penstock COMPONENT dev)

# ---- Debian packages

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME penstock)
set(CPACK_PACKAGE_VENDOR "the Penstock project")
set(CPACK_PACKAGE_CONTACT "the Penstock project <penstock@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_STRIP_FILES TRUE)
set(CPACK_PACKAGE_CHECKSUM SHA256)
set(CPACK_COMPONENTS_ALL penstock dev)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEB_COMPONENT_INSTALL TRUE)
set(CPACK_PRE_BUILD_SCRIPTS ${packaging}/prepare_package.cmake)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS TRUE)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)

set(CPACK_DEBIAN_PENSTOCK_PACKAGE_NAME penstock)
set(CPACK_DEBIAN_PENSTOCK_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PENSTOCK_PACKAGE_DEPENDS adduser)
set(CPACK_COMPONENT_PENSTOCK_DESCRIPTION "durable queues and streams that unmodified AWS SDKs talk to
One process that stands in for SQS, Kinesis and Lambda's event sources on a
developer's machine, in tests and in small systems. What it has acknowledged
survives its end and a loss of power.")
set(CPACK_DEBIAN_PENSTOCK_PACKAGE_SUGGESTS "awscli, python3, nodejs")
set(CPACK_DEBIAN_PENSTOCK_PACKAGE_CONTROL_EXTRA
    ${packaging}/debian/conffiles ${packaging}/debian/postinst ${packaging}/debian/prerm ${packaging}/debian/postrm)

set(CPACK_DEBIAN_DEV_PACKAGE_NAME penstock-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_DEV_DESCRIPTION "consumers of Penstock's streams in C++
The header and the library with which a C++ program reads a stream as a
consumer whose position the server keeps, and a package for CMake.")
set(CPACK_DEBIAN_DEV_PACKAGE_SHLIBDEPS FALSE)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "libssl-dev, libsimdjson-dev, libstdc++-12-dev")

include(CPack)
add_custom_target(packages
  COMMAND ${CMAKE_CPACK_COMMAND} --config ${PROJECT_BINARY_DIR}/CPackConfig.cmake -G DEB
  DEPENDS penstock penstock_manual penstock_completions penstock_client_archive
  USES_TERMINAL
  COMMENT "Packing"
  VERBATIM)
