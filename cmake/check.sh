#!/usr/bin/env bash
# `./dev check`: rules about the sources that no compiler knows. Prints every finding; exits 1 when there is one.
set -uo pipefail
cd "$(dirname "$0")/.."
findings=0
find_fault() { echo "check: $*"; findings=$((findings + 1)); }
sources() { git ls-files --cached --others --exclude-standard -- 'src/*.cc' 'src/*.h' 'bench/*.cc' 'bench/*.h' 'tests/*.cc' 'tests/*.h'; }

# Format.
while read -r file; do find_fault "$file is not formatted: ./dev format"; done < <(
  sources | xargs -P "$(nproc)" -n 16 clang-format-19 --dry-run -Werror 2>&1 | grep -oE '^[^ :]+\.(cc|h)' | sort -u)

# Module table: layer/module and what it may use, with everything that comes along.
declare -A layer_of uses
layer=
while read -r line; do
  if [[ $line =~ ^mydr24_layer\(([a-z]+) ]]; then layer=${BASH_REMATCH[1]}; fi
  if [[ $line =~ ^mydr24_module\(([a-z0-9_]+)([^\)]*)\) ]]; then
    module=${BASH_REMATCH[1]}
    layer_of[$module]=$layer
    all=" $module "
    if [[ ${BASH_REMATCH[2]} =~ USES\ ([a-z0-9_\ ]+) ]]; then
      for used in ${BASH_REMATCH[1]}; do
        case " $used" in *" LINKS"*) break ;; esac
        all+="${uses[$used]:-} "
      done
    fi
    uses[$module]=$all
  fi
done < src/CMakeLists.txt

# Every include of another module must be covered by USES.
while IFS=: read -r file include; do
  from=$(cut -d/ -f3 <<<"$file")
  to=$(cut -d/ -f2 <<<"$include")
  [ "$from" = "$to" ] && continue
  [ -n "${layer_of[$from]:-}" ] || continue
  [[ " ${uses[$from]} " == *" $to "* ]] || find_fault "$file includes $include, but ${layer_of[$from]}/$from does not use $to (src/CMakeLists.txt)"
done < <(git grep -HoE '#include "(base|fhir|storage|guard|alerting|clinical|operations|api|app)/[^"]+"' -- 'src/*.cc' 'src/*.h' | sed -E 's/#include "(.*)"/\1/')

# ARCHITECTURE.md names every module, and no other.
for module in "${!layer_of[@]}"; do
  grep -qE "\`${layer_of[$module]}/$module\`" ARCHITECTURE.md || find_fault "ARCHITECTURE.md does not name the module ${layer_of[$module]}/$module"
done
while read -r name; do
  [ "${layer_of[${name#*/}]:-}" = "${name%/*}" ] || find_fault "ARCHITECTURE.md names $name, which is not in src/CMakeLists.txt"
done < <(grep -oE '^\| `[a-z]+/[a-z0-9_]+`' ARCHITECTURE.md | tr -d '|` ')
for module in "${!layer_of[@]}"; do
  ls "src/${layer_of[$module]}/$module"/*_test.cc >/dev/null 2>&1 || find_fault "module ${layer_of[$module]}/$module has no test beside its code"
done

# Headers: first line, and each compiles on its own.
while read -r header; do
  [ "$(head -n 1 "$header")" = "#pragma once" ] || find_fault "$header does not begin with #pragma once"
done < <(sources | grep '\.h$')
export -f find_fault
while read -r line; do find_fault "$line"; done < <(
  sources | grep '^src/.*\.h$' | xargs -P "$(nproc)" -I{} sh -c \
    'printf "#include \"%s\"\n" "$(echo {} | sed s,^src/,,)" | clang++-19 -std=c++23 -fsyntax-only -Isrc -Wno-pragma-once-outside-header -x c++ - 2>/dev/null || echo "{} does not compile on its own"')

# Words that stand for unfinished work, and lengths.
while read -r line; do find_fault "unfinished: $line"; done < <(
  git grep -nIE '\b(TODO|FIXME|XXX|HACK)\b|DISABLED_' -- src bench tests docs README.md ARCHITECTURE.md ':!cmake/check.sh' | head -n 20)
while read -r file; do
  lines=$(wc -l <"$file")
  [ "$lines" -le 700 ] || find_fault "$file has $lines lines: is it two things? (at most 700)"
done < <(sources)

# The web console: its lock file, its texts in every language; of one that was built, its size and what it loads, and whether its
# types are those of the program beside it.
if command -v node >/dev/null; then
  node -e 'const at = (file) => JSON.parse(require("fs").readFileSync("console/" + file)), own = at("package.json"), lock = at("package-lock.json").packages[""];
    const same = (kind) => JSON.stringify(own[kind]) === JSON.stringify(lock[kind]); process.exit(same("dependencies") && same("devDependencies") ? 0 : 1)' ||
    find_fault "console/package-lock.json is not that of console/package.json: cd console && npm install"
  while read -r line; do find_fault "$line"; done < <(node console/scripts/catalogs.mjs 2>&1 >/dev/null)
  if [ -f build/release/console/dist/index.html ]; then
    while read -r line; do find_fault "$line"; done < <(node console/scripts/dist.mjs build/release/console/dist 2>&1 >/dev/null)
  fi
  if [ -x build/release/mydr24 ] && build/release/mydr24 openapi > build/release/openapi.json 2>/dev/null; then
    while read -r line; do find_fault "$line"; done < <(node console/scripts/api.mjs --check build/release/openapi.json 2>&1)
  fi
fi

if [ "$findings" -gt 0 ]; then
  echo "check: $findings findings"
  exit 1
fi
echo "check: clean ($(sources | wc -l) files, ${#layer_of[@]} modules)"
