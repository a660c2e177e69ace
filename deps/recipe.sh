# SPDX-License-Identifier: Apache-2.0
# What every recipe (deps/NAME.dep) sees; deps/build.sh reads this before it calls build().
#
# A recipe sets   version  for people
#                 needs    the recipes whose result must be in $work/sysroot
#                 variant  if it may be built in several ways on this machine: which
#                 sources  lines "SHA256 LOCATION"; LOCATION is a URL or debian:PATH below pool/main
# and defines     build()  compiles $work/src in $work/obj (the current directory), puts include and
#                          lib into $work/out; $prefix is where that will live.
#
# -O2 is for code that runs per byte; recipes of other code set optimize=-Os.

root=$work/sysroot
host_cc=$CC
machine=$($CC -dumpmachine)
triple=${machine%%-*}-linux-musl${machine##*-gnu}

flags="${optimize:--O2} -fno-pie -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables
	-fno-unwind-tables -ffile-prefix-map=$work=/deps -ffile-prefix-map=$prefix=/deps"
flags=$(echo $flags)

# Both machine code and what gcc optimises over all libraries when the program is linked; see GNUmakefile.
case $($CC --version) in
*"Free Software"*) whole="-flto -ffat-lto-objects" ;;
*) whole= ;;
esac

if [ -x "$root/bin/musl-gcc" ]; then
	CC=$root/bin/musl-gcc
fi
export CC AR RANLIB NM
export CFLAGS="$flags $whole" CPPFLAGS="-I$root/include" LDFLAGS="-static -no-pie -L$root/lib"
export PKG_CONFIG=false # nothing of this machine may be found
export SOURCE_DATE_EPOCH=0

make=${MAKE:-make} # its jobs are those of deps/build.sh

# autoconf's configure, told what is the same for all of them
configure() {
	"$work/src/configure" --build="$machine" --host="$triple" --prefix="$prefix" \
		--disable-shared --enable-static --disable-dependency-tracking "$@"
}

# Function bodies become STATEMENT, and what only they called is left out. A function must be there.
instead() { # STATEMENT FILE FUNCTION...
	statement=$1 file=$work/src/$2
	shift 2
	for name; do
		awk -v name="$name" -v statement="$statement" '
			$0 ~ "^([A-Za-z].*[ *])?" name "[(]" { head = 1 }
			head && /;[ \t]*$/ && !/{/ { head = 0 }
			head && sub(/{/, "{ " statement) { head = 0; found++ }
			{ print }
			END { exit !found }' "$file" >"$file.new" ||
			{ echo "$file: no function $name" >&2; return 1; }
		mv "$file.new" "$file"
	done
}

# What the program never calls, but something it does call names. It would be a bug to get there.
never() { # FILE FUNCTION...
	instead '__builtin_trap();' "$@"
}

put() { # DIR FILE...: into the result
	mkdir -p "$work/out/$1"
	to=$work/out/$1
	shift
	cp "$@" "$to/"
}
