/*
 * What runs on a VM before the agent does; its life is told in docs/vm.md.
 *
 * Where it runs it must not care: on a VM as root under cloud-init, or on a process machine of the local cloud, which
 * sets RAWCLOUD_ROOT (a prefix for every path), the endpoint variables, and a `poweroff` of its own. It needs bash 3.2,
 * a curl that signs (7.86), gzip, sha256sum or shasum; no jq, no aws, no python. Forks are what it costs, so whatever
 * bash can do itself it does.
 *
 * Values come in for @NAME@. `\${` stands for bash's own, since this is a template of JavaScript too.
 */
export const BOOT_SCRIPT = String.raw`#!/bin/bash
# rawcloud: boots one VM for one job.
bucket='@BUCKET@' region='@REGION@' role_id='@ROLE_ID@'
boot_deadline_s=@BOOT_DEADLINE_S@ grant_wait_s=@GRANT_WAIT_S@
umask 022
root="\${RAWCLOUD_ROOT:-}"
state="$root/var/lib/rawcloud" run="$root/run/rawcloud"
log="$run/boot.log"
prefix='' reason='' agent_pid='' ship_pid='' teed=''

now_ms() { # milliseconds since 1970, into $ms; without a fork where bash can
  if [ -n "\${EPOCHREALTIME:-}" ]; then ms="\${EPOCHREALTIME//[!0-9]/}"; ms="\${ms%???}"; else ms="$(date +%s)000"; fi
}
clock() { # seconds that go on evenly whatever the time is set to, into $now
  if read -r now _ 2>/dev/null </proc/uptime; then now="\${now%%.*}"; else now="$(date +%s)"; fi
}
power_off() { # on a process machine its own and nothing else: the host's would end the developer's computer
  if [ -z "$root" ]; then poweroff "$@" || systemctl poweroff --force
  else case "$(type -P poweroff)" in "$root"/*) poweroff "$@" ;; *) echo 'rawcloud: this machine has no poweroff of its own' ;; esac; fi
}

finish() { # whatever happened: the log is shipped, the VM powers off
  local code=$? tries=0 mark
  trap - EXIT
  trap '' TERM INT HUP PIPE
  mark="rawcloud: the boot script ends with $code\${reason:+ ($reason)}, powering off"
  echo "$mark"
  # tee writes behind us; what is shipped shall hold the last line.
  [ -z "$teed" ] || until [[ "$(<"$log")" == *"$mark"* ]] || [ $tries -ge 50 ]; do sleep 0.02; tries=$((tries + 1)); done
  [ -n "$ship_pid" ] && wait "$ship_pid"
  if [ -n "$prefix" ]; then
    now_ms
    # Role credentials live for six hours.
    [ $((ms - boot_at)) -lt 3600000 ] || identify
    ship_log
  fi
  power_off
  # Should that hang, the guard forces it. Nobody waits for it here: a shutdown would wait for us.
  [ -n "$root" ] || echo over >"$state/deadline"
}
fail() { reason="$1"; echo "rawcloud: $2"; exit 1; }
going_down() { # the agent hears it too and ships what it has
  trap '' TERM INT HUP
  [ -n "$agent_pid" ] && kill -TERM "$agent_pid" 2>/dev/null && wait "$agent_pid"
  exit 143
}
trap finish EXIT
trap going_down TERM INT HUP

# --- The guard: first act. Ends the VM at its deadline, and on any boot but the first. ---
guard() { # guard [first]
  local now deadline left this_boot='' first_boot=''
  if [ "$1" != first ]; then # started by the system, which it is on the first boot too where there is systemd
    read -r this_boot 2>/dev/null </proc/sys/kernel/random/boot_id
    read -r first_boot 2>/dev/null <"$state/boot-id"
    if [ -n "$root" ] || [ "$this_boot" != "$first_boot" ]; then guard_ends 'this is not the first boot'; fi
  fi
  while :; do
    clock
    read -r deadline 2>/dev/null <"$state/deadline" || deadline=0
    [ "$deadline" != over ] || guard_ends 'the boot script has ended'
    left=$((deadline - now))
    [ $left -gt 0 ] || guard_ends 'the deadline is reached'
    [ $left -lt 5 ] || left=5
    sleep $left
  done
}
guard_ends() {
  echo "rawcloud guard: $1, powering off"
  [ -n "$root" ] || echo "rawcloud guard: $1, powering off" 2>/dev/null >/dev/console
  power_off
  sleep 120
  power_off -ff
  [ -n "$root" ] || echo o >/proc/sysrq-trigger
  exit 1
}
arm() {
  local boot_id
  mkdir -p "$state" "$run" && chmod 700 "$run" || fail state "cannot make $state"
  echo $((boot_clock + boot_deadline_s)) >"$state/deadline"
  read -r boot_id 2>/dev/null </proc/sys/kernel/random/boot_id
  echo "$boot_id" >"$state/boot-id"
  {
    printf '#!/bin/bash\nstate=%q root=%q\n' "$state" "$root"
    declare -f clock power_off guard guard_ends
    echo 'guard "$@"'
  } >"$state/guard" && chmod 755 "$state/guard" || fail state 'cannot write the guard'
  if [ -z "$systemd" ]; then
    mkdir -p "$root/etc/rc.d" && ln -sf "$state/guard" "$root/etc/rc.d/rawcloud-guard"
    set -m
    "$state/guard" first </dev/null &
    disown
    set +m
    return
  fi
  echo "[Unit]
Description=Ends this VM at its deadline
DefaultDependencies=no
After=local-fs.target
StartLimitIntervalSec=0
[Service]
ExecStart=/bin/bash $state/guard
Restart=always
OOMScoreAdjust=-1000
[Install]
WantedBy=sysinit.target" >"$unit"
  systemctl enable --now rawcloud-guard.service || fail guard 'cannot start the guard'
  # What is only in memory yet would not guard the boot after a panic.
  sync -f "$unit" &
}
systemd='' unit=/etc/systemd/system/rawcloud-guard.service
[ -z "$root" ] && [ -d /run/systemd/system ] && systemd=yes
if [ -n "\${RAWCLOUD_BOOT:-}" ]; then
  read -r boot_at boot_clock <<<"$RAWCLOUD_BOOT"
  unset RAWCLOUD_BOOT
else
  now_ms; boot_at=$ms
  clock; boot_clock=$now
  arm
  if [ -n "$systemd" ]; then
    # The rest as a scope: script and agent hear of a shutdown while there still is a network. This shell stays, and powers
    # off when the other ends, even by SIGKILL.
    RAWCLOUD_BOOT="$boot_at $boot_clock" systemd-run --quiet --scope --unit=rawcloud-agent --property=After=network-online.target -- /bin/bash "$0"
    exit
  fi
fi

# --- From here on what is said goes to the console and to the log that is shipped. ---
exec > >(trap '' TERM INT HUP; exec tee "$log") 2>&1
teed=yes

# --- Who am I ---
imds="\${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254}"
imds="\${imds%/}"
nl=$'\n'
field() { # field NAME TEXT: a string member of JSON, into $value
  local pattern="\"$1\"[[:space:]]*:[[:space:]]*\"([^\"]*)\""
  if [[ $2 =~ $pattern ]]; then value="\${BASH_REMATCH[1]}"; else value=''; return 1; fi
}
meta() { printf 'header = "X-aws-ec2-metadata-token: %s"\n' "$token" | curl -sS -f -m 10 -K - "$@"; }
identify() { # token, $instance_id, and credentials of the role
  local who role found path="$imds/latest/meta-data"
  token=$(curl -sS -f -m 10 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 21600' "$imds/latest/api/token") || return 1
  who=$(meta -w '\n' "$path/instance-id" "$path/iam/security-credentials/") || return 1
  instance_id="\${who%%"$nl"*}"
  role="\${who#*"$nl"}"; role="\${role%%"$nl"*}"
  found=$(meta "$path/iam/security-credentials/$role") || return 1
  field AccessKeyId "$found" && key_id=$value && field SecretAccessKey "$found" && secret=$value && field Token "$found" && session=$value
}
# A role's credentials may come some seconds after the VM.
until identify; do
  clock
  [ $((now - boot_clock)) -lt "$grant_wait_s" ] || fail imds 'the instance metadata service does not tell who this VM is'
  sleep 1
done
vm="$role_id:$instance_id"
echo "rawcloud: VM $instance_id"

# --- S3, signed by curl; keys come to it on stdin, never in its arguments ---
base="https://$bucket.s3.$region.amazonaws.com"
[ -n "\${AWS_ENDPOINT_URL:-}" ] && base="\${AWS_ENDPOINT_URL%/}/$bucket"
EMPTY=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
s3() { # s3 KEY PAYLOAD_SHA256 OUT CURL_ARGUMENT…: prints the status, 000 when there was none
  local key="\${1//:/%3A}" hash=$2 out=$3; shift 3
  printf 'user = "%s:%s"\nheader = "x-amz-security-token: %s"\n' "$key_id" "$secret" "$session" |
    curl -sS -K - --aws-sigv4 "aws:amz:$region:s3" -H "x-amz-content-sha256: $hash" -H 'Expect:' --connect-timeout 10 -o "$out" -w '%{http_code}' "$@" "$base/$key"
}
sha256() { # of stdin, into $sum
  if type -P sha256sum >/dev/null; then sum=$(sha256sum); else sum=$(shasum -a 256); fi
  sum="\${sum%% *}"
}
ship_log() {
  local sum status tries=0
  cp "$log" "$log.shipped" # tee may write on while it is sent
  sha256 <"$log.shipped"
  until status=$(s3 "\${prefix}vm/$vm/boot.log" "$sum" /dev/null -m 20 -X PUT -H 'Content-Type: text/plain' --data-binary "@$log.shipped") && [ "$status" = 200 ]; do
    tries=$((tries + 1))
    [ $tries -lt 3 ] || { echo "rawcloud: the boot log could not be shipped, S3 answers $status"; return 1; }
    sleep 1
  done
}
too_old() { fail curl "this curl cannot sign requests for S3, 7.86 or newer can: $(curl --version 2>&1 | head -n 1)"; }

# --- The grant: all that this VM needs, and nobody else may read ---
now_ms; grant_from=$ms
grant="$run/grant.json"
code_of='<Code>([A-Za-z]+)</Code>'
polls=0
until status=$(umask 077; s3 "v1/private/$vm/grant.json" $EMPTY "$grant" -m 20) && [ "$status" = 200 ]; do
  [ $? -ne 2 ] || too_old # curl does not know --aws-sigv4
  answer='' code=''
  case "$status" in 3?? | 4??) answer=$(<"$grant") ;; esac
  [[ $answer =~ $code_of ]] && code="\${BASH_REMATCH[1]}"
  case "$status $code" in
    *AccessDenied) [[ $answer == *HeadersNotSigned* ]] && too_old ;; # else: not yet, for who may not list
    *NoSuchKey | 000* | 429* | 5??*) ;;
    *) fail "\${code:-http-$status}" "S3 refuses the request for the grant: $status $code" ;;
  esac
  clock
  [ $((now - boot_clock)) -lt "$grant_wait_s" ] || fail no-grant "no grant came within $grant_wait_s s; the last answer of S3 was $status $code"
  polls=$((polls + 1))
  if [ $polls -le 20 ]; then sleep 0.05; elif [ $polls -le 40 ]; then sleep 0.25; else sleep 1; fi
done
text=$(<"$grant")
field prefix "$text" && prefix=$value
field nodeSha256 "$text" && node_sha=$value
field agentSha256 "$text" && agent_sha=$value
unset text
[ -n "$prefix" ] && [ -n "\${node_sha:-}" ] && [ -n "\${agent_sha:-}" ] || fail grant 'the grant does not say what to run'
now_ms; grant_at=$ms

# --- Node and agent, by hash ---
fetch() { # fetch SHA256 TARGET: an object of v1/agent/, checked, unpacked when it is gzipped
  local LC_ALL=C part="$2.part" tries=0 status magic unpacking='' sum
  until status=$(s3 "v1/agent/$1" $EMPTY "$part" -m 300) && [ "$status" = 200 ]; do
    tries=$((tries + 1))
    [ $tries -lt 5 ] || { echo "rawcloud: cannot fetch v1/agent/$1, S3 answers $status"; return 1; }
    sleep $tries
  done
  IFS= read -r -d '' -n 2 magic <"$part"
  if [ "$magic" = $'\x1f\x8b' ]; then gzip -dc <"$part" >"$2.new" & unpacking=$!; fi
  sha256 <"$part"
  if [ -n "$unpacking" ]; then wait "$unpacking" || return 1; rm -f "$part"; else mv -f "$part" "$2.new"; fi
  if [ "$sum" != "$1" ]; then rm -f "$2.new"; echo "rawcloud: v1/agent/$1 does not have that hash"; return 1; fi
  chmod 755 "$2.new" && mv -f "$2.new" "$2"
}
node="$root/opt/rawcloud/node/$node_sha/bin/node"
agent="$run/agent.js"
fetch "$agent_sha" "$agent" &
agent_fetch=$!
node_fetch=''
[ -x "$node" ] || { mkdir -p "\${node%/*}"; fetch "$node_sha" "$node" & node_fetch=$!; }
ship_log &
ship_pid=$!
if [ -z "$root" ]; then
  id rawcloud-job >/dev/null 2>&1 || useradd --system --user-group --no-create-home --shell /bin/bash rawcloud-job || fail user 'cannot make the user of the job'
fi
wait "$agent_fetch" || fail agent 'no agent to run'
[ -z "$node_fetch" ] || wait "$node_fetch" || fail node 'no Node to run the agent on'
export RAWCLOUD_VM="$vm" RAWCLOUD_BUCKET="$bucket" RAWCLOUD_REGION="$region" RAWCLOUD_GRANT="$grant" RAWCLOUD_STATE="$state" \
  RAWCLOUD_IMDS="$imds" RAWCLOUD_PHASES="boot $boot_at $grant_from grant $grant_from $grant_at node $grant_at"
"$node" "$agent" </dev/null &
agent_pid=$!
wait "$agent_pid"
`.replaceAll('\\${', '${');
