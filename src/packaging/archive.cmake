# Makes one archive of the client, in which nothing but the client can be seen:
#   cmake -DLINKER=<ld> -DNM=<nm> -DOBJCOPY=<objcopy> -DAR=<ar> -DCLIENT=<archive, all of which goes in>
#         -DNEEDED=<archives, of which goes in what is needed> -DOUTPUT=<archive> -P archive.cmake

cmake_minimum_required(VERSION 3.25)

cmake_path(GET OUTPUT PARENT_PATH folder)
set(object ${folder}/penstock_client.o)
# Groups are dissolved: a linker keeps one group of each name, and would drop one here that is referred to by names that
# it cannot see.
execute_process(COMMAND ${LINKER} -r --force-group-allocation -o ${object} --whole-archive ${CLIENT} --no-whole-archive
                        ${NEEDED} COMMAND_ERROR_IS_FATAL ANY)

# What is unique in a process, such as static members of templates, cannot be made local; another name does the same.
execute_process(COMMAND ${NM} --defined-only ${object} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL " u [^\n]+" unique "${symbols}")
list(FILTER unique EXCLUDE REGEX "8penstock6client")
list(TRANSFORM unique REPLACE "^ u (.+)$" "\\1 penstock_client.\\1")
list(JOIN unique "\n" names)
file(WRITE ${object}.names "${names}\n")
execute_process(COMMAND ${OBJCOPY} --strip-debug --wildcard "--keep-global-symbol=*8penstock6client*"
                        --redefine-syms=${object}.names ${object} COMMAND_ERROR_IS_FATAL ANY)

file(REMOVE ${OUTPUT})
execute_process(COMMAND ${AR} rcsD ${OUTPUT} ${object} COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE ${object} ${object}.names)
