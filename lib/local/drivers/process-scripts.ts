import type { MachineDirectory } from './machine-directory';

/** From SIGTERM to SIGKILL when the machine shuts itself down, milliseconds. systemd waits 90 s; nobody wants to here. */
export const SHUTDOWN_GRACE_MS = 5_000;

/** `text` as one word of a shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/*
 * The init of a process machine. Life of a machine:
 *
 *   init boot   opens the request pipe · starts etc/rc.d/* and, on the first boot only, user data · waits
 *     reboot    ends every guest, boots again without user data
 *     poweroff  ends every guest, writes `exit`, ends
 *   init kill   from outside, as a host that dies: SIGKILL to init and all guests at once
 *
 * Guests are found by variables of their environment (Linux: /proc), by their session (init leads one), and from
 * there along parents, process groups and sessions: daemons that left their parent and commands with an environment
 * of their own are ended too; what has neither HOME, PATH nor marker of the machine, a session of its own and no
 * parent left escapes. Whoever shares this script's own process group is never a guest; guests get theirs by
 * `set -m`. Groups and sessions are followed only when their leader is a guest or gone, so that a developer's terminal
 * in which somebody plays with HOME never is.
 *
 * bash 3.2 (macOS): no `wait -n`, no associative arrays, no fractions in `read -t`.
 */
const INIT = String.raw`
case $mode in boot) init=$$ ;; *) init=$2 ;; esac

table() { # pid state parent group session
  if [ -d /proc/self ]; then
    cat /proc/[0-9]*/stat 2>/dev/null | sed 's/^\([0-9]*\) (.*) /\1 /'
  else
    ps -A -o pid= -o stat= -o ppid= -o pgid= | sed 's/$/ 0/'
  fi
}

marked() {
  [ -d /proc/self ] && grep -lsF -e "RAWCLOUD_MACHINE=$id" -e "HOME=$root/" -e "PATH=$root/sbin:" /proc/[0-9]*/environ
}

guests() { # guests [PID…]: the guests that live, given some that were seen before
  table | awk -v self=$$ -v init="$init" -v seen="$*" -v marked="$(marked | tr -c '0-9\n' ' ' | tr '\n' ' ')" '
    $2 !~ /^[ZX]/ { state[$1] = $2; parent[$1] = $3; group[$1] = $4; session[$1] = $5 }
    function ours(p) { return p > 1 && p != init && p in group && group[p] != group[self] }
    function add(p) { if (ours(p) && !(p in member)) { member[p] = 1; grown = 1 } }
    function follows(leader) { return leader > 1 && leader in crowd && (leader in member || !(leader in state)) }
    END {
      n = split(seen " " marked, seeds, " ")
      for (i = 1; i <= n; i++) add(seeds[i] + 0)
      for (p in group) if (init > 1 && (session[p] == init || parent[p] == init)) add(p + 0)
      do {
        grown = 0
        split("", crowd)
        for (p in member) { crowd[group[p]] = 1; if (session[p] > 0) crowd[session[p]] = 1 }
        for (p in group) if (parent[p] in member || follows(group[p]) || follows(session[p])) add(p + 0)
      } while (grown)
      for (p in member) printf "%d ", p
    }'
}

pause() { # milliseconds, below 1000
  printf -v seconds '0.%03d' "$1"
  sleep "$seconds"
}

kill_guests() { # kill_guests [PID…]
  local tries=0 left
  left=$(guests "$@")
  while [ -n "$left" ] && [ $tries -lt 200 ]; do
    kill -KILL $left 2>/dev/null
    pause 10
    left=$(guests $left)
    tries=$((tries + 1))
  done
}

end_guests() { # end_guests GRACE_MS
  local left told='' waited=0 step=10 pid
  left=$(guests)
  while [ -n "$left" ] && [ $waited -lt "$1" ]; do
    # Also what a loop started anew because the command it waited for was told first.
    for pid in $left; do
      case " $told " in *" $pid "*) continue ;; esac
      kill -TERM $pid 2>/dev/null && kill -CONT $pid 2>/dev/null
      told="$told $pid"
    done
    pause $step
    waited=$((waited + step))
    [ $step -lt 160 ] && step=$((step * 2))
    left=$(guests $left)
  done
  kill_guests $left
}

finish() { # finish HOW
  rm -f "$own/requests" "$own/pid"
  echo "$1" >"$own/exit.$$" && mv -f "$own/exit.$$" "$own/exit"
}

if [ "$mode" = kill ]; then # init is 0 when it is gone already
  [ "$init" -gt 1 ] || init=''
  # Said before init is dead: who watches it die and comes to clear up has another word for it, and comes second.
  echo "$3" >"$own/killed-as.$$" && ln "$own/killed-as.$$" "$own/killed-as" 2>/dev/null
  rm -f "$own/killed-as.$$"
  left=$(guests)
  # Halted first: whoever saw its child die would still get to say something. Killed from the youngest to the oldest, init
  # last: a group that is halted when its last parent dies is set going again by the kernel.
  kill -STOP $init $left 2>/dev/null
  left=$(guests $left)
  kill -STOP $left 2>/dev/null
  kill -KILL $(echo "$left" | tr ' ' '\n' | sort -rn) $init 2>/dev/null
  kill_guests $left
  finish "$(<"$own/killed-as")"
  exit 0
fi

guest() { # a process group of its own, with what makes it a guest
  set -m
  ( exec 9>&-
    export RAWCLOUD_MACHINE="$id" RAWCLOUD_ROOT="$root"
    cd "$root" && "$@"
  ) </dev/null >>"$own/console.log" 2>&1 &
  disown $!
  set +m
}

run_user_data() {
  local magic=''
  IFS= read -r -n 2 magic <"$own/user-data"
  if [ "$magic" != '#!' ]; then
    [ -s "$own/user-data" ] && echo 'local cloud: user data does not begin with #! and is not run'
    return 0
  fi
  "$own/user-data"
  echo "local cloud: user data ended with exit code $?"
}

boot() {
  local boots=0 unit
  # A new pipe for each boot: what guests asked for while they were ended shall not strike the next boot.
  rm -f "$own/requests"
  mkfifo -m 600 "$own/requests"
  exec 9<>"$own/requests"
  [ -f "$own/boots" ] && read -r boots <"$own/boots"
  echo $((boots + 1)) >"$own/boots"
  for unit in "$root"/etc/rc.d/*; do
    [ -f "$unit" ] && [ -x "$unit" ] && guest "$unit"
  done
  [ "$boots" -eq 0 ] && guest run_user_data
}

echo $$ >"$own/pid"
rm -f "$own/exit" "$own/killed-as"
# A logout or a tidy host: shut down in order. Not ignored, because guests would inherit that.
trap 'echo poweroff >&9' TERM INT HUP
boot
# In a shell of its own: who started us may have been killed, and a broken pipe must not end init.
(echo ready >&3) 2>/dev/null
exec 3>&-
while :; do
  read -r what grace <&9 || continue
  case $what in
    poweroff)
      end_guests "${'$'}{grace:-$default_grace_ms}"
      finish poweroff
      exit 0
      ;;
    reboot)
      end_guests "$default_grace_ms"
      boot
      ;;
  esac
done
`;

/** The init script of one machine. */
export function initScript(id: string, directory: MachineDirectory): string {
  return [
    '#!/bin/bash',
    `# Init of the local cloud's machine ${id}: init boot | init kill PID HOW`,
    `id=${quoted(id)} root=${quoted(directory.root)} own=${quoted(directory.own)} default_grace_ms=${SHUTDOWN_GRACE_MS} mode=$1`,
    INIT,
  ].join('\n');
}

/** Names that {@link powerScript} goes by in the machine's sbin. */
export const POWER_COMMANDS = ['poweroff', 'halt', 'shutdown', 'reboot'] as const;

/**
 * What stands for poweroff, halt, shutdown and reboot: hands the wish to init and returns at once, as those do.
 * @param files `requests`: init's pipe; `pending`: holds the number of who waits to ask
 */
export function powerScript(files: { readonly requests: string; readonly pending: string }): string {
  const { requests, pending } = files;
  return `#!/bin/bash
# poweroff | halt | reboot | shutdown [-h|-H|-P|-r|-c] [now|+MINUTES]
requests=${quoted(requests)} pending=${quoted(pending)}
what=poweroff when=now
case \${0##*/} in
  reboot) what=reboot ;;
  shutdown) when=+1 ;;
esac
for word in "$@"; do
  case $word in
    -r|--reboot) what=reboot ;;
    -c) when=never ;;
    now|+[0-9]*) when=$word ;;
    [0-9]*) echo "\${0##*/}: only 'now' and '+MINUTES' are known here, got '$word'" >&2; exit 1 ;;
  esac
done
[ -s "$pending" ] && read -r before <"$pending" && kill "$before" 2>/dev/null
rm -f "$pending"
# Read and write, so that opening never waits: the machine may be on its way down already.
ask() { [ -p "$requests" ] && echo "$what" 1<>"$requests"; }
case $when in
  never) ;;
  now|+0) ask ;;
  *) ( sleep $((\${when#+} * 60)); ask ) </dev/null >/dev/null 2>&1 & echo $! >"$pending" ;;
esac
exit 0
`;
}
