# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# guests.sh - for scripts of tests that run their cases in guests; sourced after lib.sh

vmrun="sh $TOP/testsuite/vm/vmrun.sh"

# guest NAME [VMRUN OPTION...] -- COMMANDS: each "ok - CASE" and "not ok - CASE # WHY" that they print is a case here
guest() {
	_name=$1
	shift
	_log=$WORK/guest
	_begin=$(date +%s)
	# shellcheck disable=SC2145 # it is appended to the last one
	$vmrun -f "$TOP/testsuite/vm/judge.sh:/judge.sh" "$@
echo END" >"$_log" 2>&1 </dev/null
	_status=$?
	if [ $_status = 126 ]; then
		_skipped "$_name" "$(grep '^vmrun: ' "$_log" | tail -n 1)"
		return
	fi
	while IFS= read -r line; do
		line=${line%"$(printf '\r')"}
		case $line in
		'ok - '*) ok "$_name: ${line#ok - }" ;;
		'not ok - '*) not_ok "$_name: ${line#not ok - }" ;;
		'  | '*) printf '%s\n' "$line" ;; # echo would take its backslashes
		esac
	done <"$_log"

	if grep -q '^END' "$_log"; then
		ok "$_name: came to the end ($(($(date +%s) - _begin)) s)"
	else
		not_ok "$_name: came to the end" "status $_status"
		tail -n 20 "$_log" | sed 's/^/  | /'
	fi
}
