/** What a VM must know before it has read its grant; the same for every VM of a scaffolding, and no secret. */
export interface UserDataInput {
  readonly bucket: string;
  readonly region: string;
  /** Unique id of the VM role (`AROA…`): IMDS does not tell it. */
  readonly roleId: string;
}

/** EC2 takes so many bytes of user data before base64. Source: EC2 user guide, "Run commands on your Linux instance at launch". */
export const USER_DATA_LIMIT_BYTES = 16 * 1024;

/** From boot until the agent has taken over the deadline, seconds. */
export const BOOT_DEADLINE_S = 900;
/** How long a VM waits for its grant, seconds. */
export const GRANT_WAIT_S = 120;

/**
 * User data: a constant bash script that arms the guard, reads the VM's grant, fetches Node and agent by hash, and
 * powers off when the agent ends, however it ends. Nothing in it is secret or differs from job to job.
 *
 * Where it runs it must not care: on a VM as root under cloud-init, or on a process machine of the local cloud, which
 * sets RAWCLOUD_ROOT (a prefix for every path), the endpoint variables, and a `poweroff` of its own. bash 3.2, curl
 * 7.75, tar-less; no jq, no aws, no python.
 */
export function userData(input: UserDataInput): string {
  return SCRIPT.replace('@BUCKET@', () => input.bucket)
    .replace('@REGION@', () => input.region)
    .replace('@ROLE_ID@', () => input.roleId);
}

const SCRIPT = String.raw`#!/bin/bash
# rawcloud: boots one VM for one job. See docs/vm.md.
bucket='@BUCKET@'
region='@REGION@'
role_id='@ROLE_ID@'
umask 022
root="\${RAWCLOUD_ROOT:-}"
state="$root/var/lib/rawcloud"
run="$root/run/rawcloud"
mkdir -p "$state" "$run" && chmod 700 "$run"

now_ms() { # without a fork where bash can
  if [ -n "\${EPOCHREALTIME:-}" ]; then local t="\${EPOCHREALTIME//[!0-9]/}"; ms="\${t%???}"; else ms="$(date +%s)000"; fi
}
now_ms; boot_at=$ms

# --- The guard: first act. Ends the VM at its deadline, and on any boot but the first. ---
cat >"$state/guard" <<GUARD
#!/bin/bash
state='$state'
mode='\${RAWCLOUD_ROOT:+process}'
GUARD
cat >>"$state/guard" <<'GUARD'
clock() { if read -r up _ </proc/uptime; then now="\${up%%.*}"; else now="$(date +%s)"; fi; } 2>/dev/null
end() {
  echo "rawcloud guard: $1, powering off"
  [ -w /dev/console ] && [ -z "$mode" ] && echo "rawcloud guard: $1, powering off" >/dev/console
  poweroff || real systemctl poweroff --force
  sleep 120
  real poweroff -ff || real systemctl poweroff --force --force || { [ -z "$mode" ] && echo o >/proc/sysrq-trigger; }
}
real() { [ -z "$mode" ] && "$@"; } # never on a process machine: that would be the developer's own
if [ "$1" != first ]; then
  # Started by the system: on this boot's own start the recorded boot is this one.
  if [ -n "$mode" ] || [ "$(cat "$state/boot-id")" != "$(cat /proc/sys/kernel/random/boot_id)" ]; then end 'second boot'; fi
fi
while :; do
  clock
  read -r deadline <"$state/deadline" || deadline=0
  left=$((deadline - now))
  [ $left -le 0 ] && end 'deadline reached'
  [ $left -gt 5 ] && left=5
  sleep $left
done
GUARD
chmod 755 "$state/guard"
if read -r up _ 2>/dev/null </proc/uptime; then up="\${up%%.*}"; else up="$(date +%s)"; fi
echo $((up + ${BOOT_DEADLINE_S})) >"$state/deadline"
cat /proc/sys/kernel/random/boot_id >"$state/boot-id" 2>/dev/null
if [ -z "$root" ] && [ -d /run/systemd/system ]; then
  cat >/etc/systemd/system/rawcloud-guard.service <<UNIT
[Unit]
Description=Ends this VM at its deadline
DefaultDependencies=no
After=local-fs.target
[Service]
ExecStart=/bin/bash $state/guard
Restart=always
OOMScoreAdjust=-1000
[Install]
WantedBy=sysinit.target
UNIT
  systemctl daemon-reload
  systemctl enable --now rawcloud-guard.service
else
  mkdir -p "$root/etc/rc.d" && ln -sf "$state/guard" "$root/etc/rc.d/rawcloud-guard"
  set -m
  "$state/guard" first </dev/null &
  disown
  set +m
fi

# --- From here on, whatever happens, the log is shipped and the VM powers off. ---
log="$run/boot.log"
exec > >(trap '' TERM INT HUP; exec tee "$log") 2>&1
prefix='' reason=''
finish() {
  local code=$?
  trap - EXIT
  trap '' TERM INT HUP
  local mark="rawcloud: the boot script ends with $code\${reason:+ ($reason)}, powering off"
  echo "$mark"
  local tries=0
  until grep -qF "$mark" "$log" || [ $tries -ge 100 ]; do sleep 0.01; tries=$((tries + 1)); done
  ship_log
  poweroff && return
  # Not on a process machine: that would be the developer's own.
  [ -n "$root" ] || systemctl poweroff --force || { sleep 30; echo o >/proc/sysrq-trigger; }
}
trap finish EXIT
trap 'exit 143' TERM INT HUP
fail() { reason="$1"; echo "rawcloud: $2"; exit 1; }

field() { # field NAME TEXT: a string member of JSON, into $value
  local pattern="\"$1\"[[:space:]]*:[[:space:]]*\"([^\"]*)\""
  if [[ $2 =~ $pattern ]]; then value="\${BASH_REMATCH[1]}"; else value=''; return 1; fi
}

# --- Who am I ---
imds="\${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254}"
imds="\${imds%/}"
token=$(curl -sS -f --retry 10 --retry-connrefused --retry-delay 1 -m 10 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 21600' "$imds/latest/api/token") ||
  fail imds 'the instance metadata service gives no token'
meta() { printf 'header = "X-aws-ec2-metadata-token: %s"\n' "$token" | curl -sS -f --retry 5 -m 10 -K - "$@"; }
who=$(meta -w '\n' "$imds/latest/meta-data/instance-id" "$imds/latest/meta-data/iam/security-credentials/") || fail imds 'no instance id or role'
instance_id="\${who%%$'\n'*}"
role="\${who#*$'\n'}"; role="\${role%%$'\n'*}"
vm="$role_id:$instance_id"
credentials() {
  local found; found=$(meta "$imds/latest/meta-data/iam/security-credentials/$role") || return 1
  field AccessKeyId "$found" && key_id=$value && field SecretAccessKey "$found" && secret=$value && field Token "$found" && session=$value
}
credentials || fail imds 'the role gives no credentials'
echo "rawcloud: VM $instance_id"

# --- S3, signed by curl; keys come to it on stdin, never in its arguments ---
version="$(curl --version)"; version="\${version#curl }"; version="\${version%% *}"
major="\${version%%.*}"; minor="\${version#*.}"; minor="\${minor%%.*}"
if [ "$major" -lt 7 ] || { [ "$major" -eq 7 ] && [ "$minor" -lt 75 ]; }; then fail curl "curl $version is too old: 7.75 is needed to sign requests"; fi
base="https://$bucket.s3.$region.amazonaws.com"
[ -n "\${AWS_ENDPOINT_URL:-}" ] && base="\${AWS_ENDPOINT_URL%/}/$bucket"
EMPTY=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
s3() { # s3 KEY PAYLOAD_HASH OUT CURL_ARGUMENT…: prints the status
  local key="\${1//:/%3A}" hash=$2 out=$3; shift 3
  printf 'user = "%s:%s"\nheader = "x-amz-security-token: %s"\n' "$key_id" "$secret" "$session" |
    curl -sS -K - --aws-sigv4 "aws:amz:$region:s3" -H "x-amz-content-sha256: $hash" -H 'Expect:' --connect-timeout 10 -o "$out" -w '%{http_code}' "$@" "$base/$key"
}
sha256() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi; }
ship_log() {
  [ -n "$prefix" ] || return 0
  local sum; sum=$(sha256 <"$log"); sum="\${sum%% *}"
  s3 "\${prefix}vm/$vm/boot.log" "$sum" /dev/null -m 20 -X PUT -H 'Content-Type: text/plain' --data-binary "@$log" >/dev/null
}

# --- The grant: all that this VM needs, and nobody else may read ---
now_ms; grant_from=$ms
grant="$run/grant.json"
pause=0.05 waited=0
until status=$(umask 077; s3 "v1/private/$vm/grant.json" $EMPTY "$grant" -m 20) && [ "$status" = 200 ]; do
  case "$status" in
    403 | 404)
      answer=$(<"$grant"); code=''
      [[ $answer =~ \<Code\>([A-Za-z]*)\</Code\> ]] && code="\${BASH_REMATCH[1]}"
      case "$code" in AccessDenied | NoSuchKey) ;; *) fail "$code" "S3 refuses to give the grant: $code" ;; esac ;;
    4??) answer=$(<"$grant"); fail "grant-$status" "S3 answers $status to the request for the grant" ;;
  esac
  now_ms
  [ $((ms - grant_from)) -ge ${GRANT_WAIT_S}000 ] && fail no-grant 'no grant came within ${GRANT_WAIT_S} s'
  sleep $pause
  waited=$((waited + 1))
  [ $waited -eq 20 ] && pause=0.2
  [ $waited -eq 40 ] && pause=1
done
text=$(<"$grant")
field prefix "$text" && prefix=$value
field nodeSha256 "$text" && node_sha=$value
field agentSha256 "$text" && agent_sha=$value
unset text
[ -n "$prefix" ] && [ -n "\${node_sha:-}" ] && [ -n "\${agent_sha:-}" ] || fail grant 'the grant does not say what to run'
now_ms; grant_at=$ms
ship_log &

# --- Node and agent, by hash ---
fetch() { # fetch SHA256 TARGET
  local part="$2.part" tries=0 sum
  until [ "$(s3 "v1/agent/$1" $EMPTY "$part")" = 200 ]; do
    tries=$((tries + 1))
    [ $tries -ge 5 ] && { echo "rawcloud: cannot fetch v1/agent/$1"; return 1; }
    sleep $tries
  done
  sum=$(sha256 <"$part")
  if [ "\${sum%% *}" != "$1" ]; then echo "rawcloud: v1/agent/$1 does not have that hash"; return 1; fi
  if [ "$(head -c 2 "$part" | od -An -tx1 | tr -d ' ')" = 1f8b ]; then gzip -dc <"$part" >"$2" && rm -f "$part"; else mv -f "$part" "$2"; fi
}
node="$root/opt/rawcloud/node/$node_sha/bin/node"
agent="$run/agent.js"
fetch "$agent_sha" "$agent" &
agent_fetch=$!
if [ -z "$root" ] && ! id rawcloud-job >/dev/null 2>&1; then useradd --system --user-group --no-create-home --shell /bin/bash rawcloud-job || fail user 'cannot make the user of the job'; fi
if [ ! -x "$node" ]; then
  mkdir -p "\${node%/*}" && fetch "$node_sha" "$node" && chmod 755 "$node" || fail node 'no Node to run the agent on'
fi
wait $agent_fetch || fail agent 'no agent to run'
RAWCLOUD_VM="$vm" RAWCLOUD_BUCKET="$bucket" RAWCLOUD_REGION="$region" RAWCLOUD_GRANT="$grant" RAWCLOUD_STATE="$state" \
  RAWCLOUD_IMDS="$imds" RAWCLOUD_PHASES="boot $boot_at $grant_from grant $grant_from $grant_at node $grant_at" "$node" "$agent" </dev/null
`.replaceAll('\\${', '${');
