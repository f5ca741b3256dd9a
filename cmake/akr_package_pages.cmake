# Part of the installation that cmake/akr_package.cmake describes: texts that the gateway prints, and those that Debian asks
# for.  Given AKR_VERSION, AKR_PAGES_BY, AKR_SOURCE, AKR_WORK.
set(root "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}")
set(doc "${root}/usr/share/doc/api-key-rotator")
file(MAKE_DIRECTORY "${AKR_WORK}")

# The same commit gives the same package: dates are that of the commit, unless SOURCE_DATE_EPOCH says another.
if(NOT DEFINED ENV{SOURCE_DATE_EPOCH})
  execute_process(COMMAND git -C "${AKR_SOURCE}" log -1 --format=%ct OUTPUT_VARIABLE epoch
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(epoch)
    set(ENV{SOURCE_DATE_EPOCH} "${epoch}")
  endif()
endif()
string(TIMESTAMP day "%Y-%m-%d" UTC)
set(ENV{LC_ALL} C)   # names of days
string(TIMESTAMP moment "%a, %d %b %Y %H:%M:%S +0000" UTC)

function(akr_ask out)
  execute_process(COMMAND "${AKR_PAGES_BY}" ${ARGN} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

# akr_put(<file> <text> [MODE <permissions>]): with `.gz` at its end, packed.
function(akr_put file text)
  get_filename_component(name "${file}" NAME)
  get_filename_component(folder "${file}" DIRECTORY)
  file(MAKE_DIRECTORY "${folder}")
  if(name MATCHES "[.]gz$")
    string(REGEX REPLACE "[.]gz$" "" name "${name}")
    file(WRITE "${AKR_WORK}/${name}" "${text}")
    execute_process(COMMAND gzip -9nc "${AKR_WORK}/${name}" OUTPUT_FILE "${file}" COMMAND_ERROR_IS_FATAL ANY)
  else()
    file(WRITE "${file}" "${text}")
  endif()
  set(permissions OWNER_READ OWNER_WRITE GROUP_READ)
  if(NOT ARGN STREQUAL SECRET)
    list(APPEND permissions WORLD_READ)
  endif()
  file(CHMOD "${file}" PERMISSIONS ${permissions})
endfunction()

akr_ask(page man-page)
string(REPLACE ".TH API\\-KEY\\-ROTATOR 8 \"\"" ".TH API\\-KEY\\-ROTATOR 8 \"${day}\"" page "${page}")
akr_put("${root}/usr/share/man/man8/api-key-rotator.8.gz" "${page}")

akr_ask(bash completion bash)
akr_put("${root}/usr/share/bash-completion/completions/api-key-rotator" "${bash}")
akr_ask(zsh completion zsh)
akr_put("${root}/usr/share/zsh/vendor-completions/_api-key-rotator" "${zsh}")
akr_ask(fish completion fish)
akr_put("${root}/usr/share/fish/vendor_completions.d/api-key-rotator.fish" "${fish}")

# .env.example with the words of this package at its top.
akr_ask(settings env-example)
string(FIND "${settings}" "\n\n" head_end)
math(EXPR head_end "${head_end} + 1")
string(SUBSTRING "${settings}" ${head_end} -1 settings)
file(READ "${AKR_SOURCE}/deploy/debian/environment.head" head)
akr_put("${root}/etc/api-key-rotator/environment" "${head}${settings}" SECRET)

file(READ "${AKR_SOURCE}/CHANGELOG.md" changes)
akr_put("${doc}/CHANGELOG.md.gz" "${changes}")
akr_put("${doc}/changelog.gz" "api-key-rotator (${AKR_VERSION}) stable; urgency=medium

  * Release ${AKR_VERSION}; what changed stands in CHANGELOG.md.

 -- The API Key Rotator authors <maintainers@api-key-rotator.invalid>  ${moment}
")

file(STRINGS "${AKR_SOURCE}/LICENSE" lines ENCODING UTF-8)
set(licence "")
foreach(line IN LISTS lines)
  if(line MATCHES "^Copyright [(]c[)] (.*)$")
    set(holder "${CMAKE_MATCH_1}")
  elseif(holder AND NOT line STREQUAL "")
    string(APPEND licence " ${line}\n")
  elseif(licence)
    string(APPEND licence " .\n")
  endif()
endforeach()
file(READ "${AKR_SOURCE}/deploy/debian/copyright" copyright)
string(REPLACE "@COPYRIGHT@" "${holder}" copyright "${copyright}")
string(REPLACE "@LICENSE@\n" "${licence}" copyright "${copyright}")
akr_put("${doc}/copyright" "${copyright}")

akr_put("${root}/usr/share/lintian/overrides/api-key-rotator"
  "# It holds secrets.
api-key-rotator: non-standard-file-perm 0640 != 0644 [etc/api-key-rotator/environment]
")
