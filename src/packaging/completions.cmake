# Writes the completions, as the program prints them, under the names that the shells know them by:
#   cmake -DPENSTOCK=<program> -DOUTPUT=<folder> -P completions.cmake

cmake_minimum_required(VERSION 3.25)

file(MAKE_DIRECTORY ${OUTPUT})
foreach(script bash/penstock zsh/_penstock fish/penstock.fish)
  cmake_path(GET script PARENT_PATH shell)
  cmake_path(GET script FILENAME name)
  execute_process(COMMAND ${PENSTOCK} completion ${shell} OUTPUT_FILE ${OUTPUT}/${name} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
