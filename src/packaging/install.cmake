# What `cmake --install` puts where, and the Debian packages that `cpack -G DEB` makes of it: penstock, and penstock-dev
# for consumers in C++.

include(GNUInstallDirs)
set(packaging ${CMAKE_CURRENT_LIST_DIR})
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME penstock)

install(TARGETS penstock)

# ---- The manual page

set(manual ${PROJECT_BINARY_DIR}/penstock.1)
add_custom_command(
  OUTPUT ${manual}
  COMMAND ${CMAKE_COMMAND} -DPENSTOCK=$<TARGET_FILE:penstock> -DTEMPLATE=${packaging}/penstock.1.in -DOUTPUT=${manual}
          -P ${packaging}/man.cmake
  DEPENDS penstock ${packaging}/penstock.1.in ${packaging}/man.cmake
  COMMENT "Writing penstock.1"
  VERBATIM)
add_custom_target(penstock_manual ALL DEPENDS ${manual})
install(FILES ${manual} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# ---- Completions, as the program that is installed prints them

install(CODE [[
  set(shells
      "bash|bash-completion/completions/penstock" "zsh|zsh/site-functions/_penstock" "fish|fish/vendor_completions.d/penstock.fish")
  # Debian's shells look elsewhere for what packages bring.
  if(CMAKE_INSTALL_PREFIX MATCHES "/usr/?$")
    list(TRANSFORM shells REPLACE "zsh/site-functions" "zsh/vendor-completions")
  endif()
  foreach(shell IN LISTS shells)
    string(REGEX MATCH "^([^|]+)[|](.+)$" _ "${shell}")
    set(place "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/share/${CMAKE_MATCH_2}")
    execute_process(COMMAND "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/bin/penstock" completion ${CMAKE_MATCH_1}
                    OUTPUT_VARIABLE script ERROR_QUIET RESULT_VARIABLE status)
    if(status EQUAL 0)
      message(STATUS "Installing: ${place}")
      file(WRITE "${place}" "${script}")
    endif()
  endforeach()
]])

# ---- The service

install(FILES ${packaging}/penstock.service DESTINATION lib/systemd/system)
# What the service is set up by is its administrator's: beside /usr, and never written over.
install(CODE "set(packaging [[${packaging}]])")
install(CODE [[
  if(CMAKE_INSTALL_PREFIX MATCHES "^(.*)/usr/?$")
    set(place "$ENV{DESTDIR}${CMAKE_MATCH_1}/etc/penstock")
  else()
    set(place "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/etc/penstock")
  endif()
  if(NOT EXISTS "${place}/penstock.yaml")
    file(INSTALL "${packaging}/penstock.yaml" DESTINATION "${place}")
  endif()
]])

# ---- For consumers in C++: one archive with all that the client needs of the other layers, and nothing in it but the
# client can be seen, so that it gets in nobody's way.

set(archive ${PROJECT_BINARY_DIR}/packaging/libpenstock_client.a)
set(object ${PROJECT_BINARY_DIR}/packaging/penstock_client.o)
find_program(OBJCOPY objcopy REQUIRED)
add_custom_command(
  OUTPUT ${archive}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/packaging
  COMMAND ${CMAKE_LINKER} -r -o ${object} --whole-archive $<TARGET_FILE:penstock_client> --no-whole-archive
          $<TARGET_FILE:penstock_protocol> $<TARGET_FILE:penstock_asio> $<TARGET_FILE:Boost::url>
  COMMAND ${OBJCOPY} --strip-debug --wildcard "--keep-global-symbol=*8penstock6client*" ${object}
  COMMAND ${CMAKE_COMMAND} -E rm -f ${archive}
  COMMAND ${CMAKE_AR} rcs ${archive} ${object}
  DEPENDS penstock_client penstock_protocol penstock_asio
  COMMENT "Putting together libpenstock_client.a"
  VERBATIM)
add_custom_target(penstock_client_archive ALL DEPENDS ${archive})
install(FILES ${archive} DESTINATION lib COMPONENT dev)
install(FILES ${PROJECT_SOURCE_DIR}/include/penstock/client.hpp DESTINATION include/penstock COMPONENT dev)
include(CMakePackageConfigHelpers)
set(version_file ${PROJECT_BINARY_DIR}/packaging/PenstockConfigVersion.cmake)
write_basic_package_version_file(${version_file} COMPATIBILITY SameMinorVersion)
install(FILES ${packaging}/PenstockConfig.cmake ${version_file} DESTINATION lib/cmake/Penstock COMPONENT dev)

# ---- Debian packages

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME penstock)
set(CPACK_PACKAGE_VENDOR "the Penstock project")
set(CPACK_PACKAGE_CONTACT "the Penstock project <penstock@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES TRUE)
set(CPACK_PACKAGE_CHECKSUM SHA256)
set(CPACK_COMPONENTS_ALL penstock dev)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEB_COMPONENT_INSTALL TRUE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS TRUE)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)

set(CPACK_DEBIAN_PENSTOCK_PACKAGE_NAME penstock)
set(CPACK_DEBIAN_PENSTOCK_PACKAGE_SECTION net)
set(CPACK_COMPONENT_PENSTOCK_DESCRIPTION "Durable queues and streams that unmodified AWS SDKs talk to
 One process that stands in for SQS, Kinesis and Lambda's event sources on a
 developer's machine, in tests and in small systems. What it has acknowledged
 survives its end and a loss of power.")
set(CPACK_DEBIAN_PENSTOCK_PACKAGE_SUGGESTS "awscli, python3, nodejs")
set(CPACK_DEBIAN_PENSTOCK_PACKAGE_CONTROL_EXTRA
    ${packaging}/debian/conffiles ${packaging}/debian/postinst ${packaging}/debian/prerm ${packaging}/debian/postrm)

set(CPACK_DEBIAN_DEV_PACKAGE_NAME penstock-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_DEV_DESCRIPTION "Consumers of Penstock's streams in C++
 The header and the library with which a C++ program reads a stream as a
 consumer whose position the server keeps, and a package for CMake.")
set(CPACK_DEBIAN_DEV_PACKAGE_SHLIBDEPS FALSE)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "libssl-dev, libsimdjson-dev, libstdc++-12-dev")

include(CPack)
