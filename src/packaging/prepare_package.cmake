# CPack runs this when it has installed the files of the packages, before it packs them.

# Without these CPack makes packages that do not say what they depend on, and says so in passing.
find_program(SHLIBDEPS dpkg-shlibdeps REQUIRED)
find_program(FILE_TYPE file REQUIRED)

# Debian's manual pages are compressed, with no time in them.
file(GLOB_RECURSE manuals ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*/usr/share/man/*.1)
foreach(manual IN LISTS manuals)
  execute_process(COMMAND gzip -9n ${manual} COMMAND_ERROR_IS_FATAL ANY)
endforeach()

# Whatever the umask of whoever builds is.
file(CHMOD_RECURSE ${CPACK_TEMPORARY_INSTALL_DIRECTORY}
     DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
