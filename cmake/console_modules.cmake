# Fills console/node_modules from package-lock.json, unless it is filled from that very file already.
file(SHA256 ${SOURCE}/package-lock.json wanted)
set(mark ${SOURCE}/node_modules/.mydr24-lock)
set(found "")
if(EXISTS ${mark})
  file(READ ${mark} found)
endif()
if(NOT found STREQUAL wanted)
  message(STATUS "npm ci in console/ (once)")
  execute_process(COMMAND ${NPM} ci --no-audit --no-fund --ignore-scripts WORKING_DIRECTORY ${SOURCE}
    RESULT_VARIABLE failed OUTPUT_QUIET)
  if(failed)
    message(FATAL_ERROR "`npm ci` failed in console/: the packages of the web console cannot be had. It needs the npm registry once. "
      "Without a network: copy console/node_modules from another clone, or name a console that was built before with "
      "-DMYDR24_CONSOLE_DIST=FOLDER.")
  endif()
  file(WRITE ${mark} ${wanted})
endif()
file(TOUCH ${STAMP})
