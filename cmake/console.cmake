# The web console (console/) becomes files inside of the program.
#
# `npm run build` makes it with the node that is there (Debian 12 has 18.20), console/scripts/pack.mjs compresses it and writes the
# table of api/console_api. Nothing is done when nothing in console/ changed. console/node_modules is filled once, by `npm ci`, when it
# is not what package-lock.json says: only then a network is needed. MYDR24_CONSOLE_DIST names a console that was built
# before (a source package carries one): then neither node_modules nor a network is needed.

set(MYDR24_CONSOLE_DIST "" CACHE PATH "A console that `npm run build` made before; empty: it is made here")

function(mydr24_console module)
  find_program(MYDR24_NODE NAMES node nodejs)
  find_program(MYDR24_NPM npm)
  if(NOT MYDR24_NODE OR (NOT MYDR24_NPM AND NOT MYDR24_CONSOLE_DIST))
    message(FATAL_ERROR "The web console is made with node and npm (18.20 or later), which are not there: ./dev setup, or "
      "apt-get install nodejs npm.")
  endif()
  set(source ${CMAKE_SOURCE_DIR}/console)
  set(folder ${CMAKE_BINARY_DIR}/console)
  file(MAKE_DIRECTORY ${folder})

  if(MYDR24_CONSOLE_DIST)
    set(dist ${MYDR24_CONSOLE_DIST})
    file(GLOB_RECURSE made CONFIGURE_DEPENDS ${dist}/*)
    set(build "")
  else()
    set(dist ${folder}/dist)
    add_custom_command(OUTPUT ${folder}/modules.stamp
      COMMAND ${CMAKE_COMMAND} -DSOURCE=${source} -DNPM=${MYDR24_NPM} -DSTAMP=${folder}/modules.stamp
              -P ${CMAKE_SOURCE_DIR}/cmake/console_modules.cmake
      DEPENDS ${source}/package.json ${source}/package-lock.json ${CMAKE_SOURCE_DIR}/cmake/console_modules.cmake
      COMMENT "Looking after console/node_modules" VERBATIM)
    file(GLOB_RECURSE made CONFIGURE_DEPENDS ${source}/src/*)
    list(APPEND made ${folder}/modules.stamp ${source}/index.html ${source}/vite.config.ts ${source}/tsconfig.json
      ${source}/scripts/catalogs.mjs ${source}/scripts/screens.mjs ${source}/scripts/licences.mjs)
    set(build COMMAND ${CMAKE_COMMAND} -E env MYDR24_CONSOLE_DIST=${dist} ${MYDR24_NPM} run --silent build)
  endif()

  add_custom_command(OUTPUT ${folder}/console_assets.cc ${folder}/console.bin
    ${build}
    COMMAND ${MYDR24_NODE} scripts/dist.mjs ${dist}
    COMMAND ${MYDR24_NODE} scripts/pack.mjs ${dist} ${folder}
    DEPENDS ${made} ${source}/screens.json ${source}/scripts/dist.mjs ${source}/scripts/pack.mjs
    WORKING_DIRECTORY ${source}
    COMMENT "Making the web console" VERBATIM)
  target_sources(${module} PRIVATE ${folder}/console_assets.cc)
  set_source_files_properties(${folder}/console_assets.cc PROPERTIES OBJECT_DEPENDS ${folder}/console.bin)
endfunction()

# The messages of the server's own pages (api/oauth_api/texts.cc), out of the console's catalogs. After mydr24_console().
function(mydr24_page_messages module)
  set(source ${CMAKE_SOURCE_DIR}/console)
  set(made ${CMAKE_BINARY_DIR}/console/page_messages.cc)
  file(GLOB catalogs CONFIGURE_DEPENDS ${source}/src/i18n/*.json)
  add_custom_command(OUTPUT ${made}
    COMMAND ${MYDR24_NODE} ${source}/scripts/pages.mjs ${made}
    DEPENDS ${catalogs} ${source}/scripts/pages.mjs
    COMMENT "Making the messages of the login pages" VERBATIM)
  target_sources(${module} PRIVATE ${made})
endfunction()
