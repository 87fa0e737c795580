# shellcheck shell=bash
# One step of a script: a line says what is done and how long it took; the output is shown only where it failed.
# Sourced, not run.
#
#     step "Building" cmake --build --preset release

step() {
    local what=$1 log began=$SECONDS status=0
    shift
    log=$(mktemp)
    printf '%s … ' "$what" >&2
    "$@" >"$log" 2>&1 </dev/null || status=$?
    if [ "$status" -eq 0 ]; then
        printf '%d s\n' "$((SECONDS - began))" >&2
    else
        printf 'failed (exit status %d): %s\n' "$status" "$*" >&2
        cat "$log" >&2
    fi
    rm -f "$log"
    return "$status"
}
