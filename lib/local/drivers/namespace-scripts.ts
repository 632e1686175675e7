import type { MachineDirectory } from './machine-directory';
import { quoted, SHUTDOWN_GRACE_MS } from './process-scripts';

/*
 * The init of a namespace machine. Three processes, each in the arguments of the next by the path of this script:
 *
 *   init wait   in a user and a network namespace of its own, without rights until the driver has mapped its ids
 *   init boot   the supervisor, on the host's files: makes the network, then boots until the machine is off, writes `exit`
 *   init main   pid 1 of a boot: mounts the machine's root, makes it `/`, runs etc/rc.d/* and user data, waits for wishes;
 *               leaves with 0 for off, 3 for boot me again
 *   init kill   from outside, as a host that dies: SIGKILL to all three; the kernel ends what ran below pid 1
 *
 * The network outlives a reboot, everything else is new with each boot. When the supervisor dies, its death signal takes
 * pid 1 along. Programs end themselves by reboot(2) too: the kernel then ends pid 1 by SIGINT (off) or SIGHUP (again).
 */
const INIT = String.raw`
pause() { # milliseconds, below 1000
  printf -v seconds '0.%03d' "$1"
  sleep "$seconds"
}
finish() { # finish HOW
  rm -f "$own/requests" "$own/pid"
  # Who ends and who is ended may write at once.
  echo "$1" >"$own/exit.$$" && mv -f "$own/exit.$$" "$own/exit"
}

# --- kill: from outside ---
processes() { # living ones of this machine, by their arguments; into $found
  local file pid words stat
  found=''
  for file in $(grep -lsF -e "$own/init" /proc/[0-9]*/cmdline); do
    pid=${'$'}{file#/proc/} pid=${'$'}{pid%/cmdline}
    { mapfile -d '' -t words <"$file" && stat=$(<"/proc/$pid/stat"); } 2>/dev/null || continue
    case " ${'$'}{words[*]} " in *" $own/init kill "*) continue ;; esac
    case ${'$'}{stat##*) } in Z*|X*) ;; *) found="$found $pid" ;; esac
  done
}
kill_machine() { # kill_machine SUPERVISOR HOW; 0 when it is gone already
  # Said before the first is dead: who watches it die and comes to clear up has another word for it, and comes second.
  echo "$2" >"$own/killed-as.$$" && ln "$own/killed-as.$$" "$own/killed-as" 2>/dev/null
  rm -f "$own/killed-as.$$"
  # First, so that it has nothing to say about the end of the others.
  [ "$1" -gt 1 ] && kill -KILL "$1" 2>/dev/null
  local tries=0
  processes
  while [ -n "$found" ]; do
    kill -KILL $found 2>/dev/null
    # Nobody dies that waits for a disk that is gone: then it is said, and not waited for.
    [ $((tries += 1)) -lt 2000 ] || exit 1
    pause 5
    processes
  done
  finish "$(<"$own/killed-as")"
}

# --- boot: the supervisor ---
supervise() {
  local boots=0 code child
  echo $$ >"$own/pid"
  rm -f "$own/exit" "$own/killed-as"
  ip -batch - <"$own/network" || exit 1
  echo network >&3
  exec 4<&0 </dev/null
  # A logout or a tidy host: shut down in order.
  trap '[ -p "$own/requests" ] && echo poweroff 1<>"$own/requests"' TERM INT HUP
  while :; do
    rm -f "$own/requests"
    mkfifo -m 600 "$own/requests"
    exec 9<>"$own/requests"
    [ -f "$own/boots" ] && read -r boots <"$own/boots"
    echo $((boots + 1)) >"$own/boots"
    echo "$(</proc/sys/kernel/random/uuid)" >"$own/boot-id"
    # As a job of its own, or SIGINT would be ignored by everything in the machine.
    set -m
    setpriv --pdeathsig KILL unshare --mount --pid --uts --ipc --fork --kill-child=KILL /bin/bash "$own/init" main "$boots" &
    child=$!
    set +m
    exec 3>&- 4<&-
    while :; do
      wait $child; code=$?
      kill -0 $child 2>/dev/null || break
    done
    case $code in
      3|129) ;;
      0|130) finish poweroff; exit 0 ;;
      *) [ -e "$own/exit" ] || finish crashed; exit 1 ;;
    esac
  done
}

# --- main: pid 1 ---
guest() { # a process group of its own
  set -m
  ( exec 3>&- 9>&-; cd / && "$@" ) </dev/null &
  disown $!
  set +m
}
run_user_data() {
  local magic='' script=/var/lib/cloud/user-data
  IFS= read -r -n 2 magic <"$script"
  if [ "$magic" != '#!' ]; then
    [ -s "$script" ] && echo 'local cloud: user data does not begin with #! and is not run'
    return 0
  fi
  "$script"
  echo "local cloud: user data ended with exit code $?"
}
end_guests() { # end_guests GRACE_MS
  local grace=$1 told='' waited=0 step=10 pid
  while set -- /proc/[0-9]*; [ $# -gt 1 ] && [ $waited -lt "$grace" ]; do
    # Also what a loop started anew because the command it waited for was told first.
    for pid; do
      pid=${'$'}{pid#/proc/}
      case " 1 $told " in *" $pid "*) continue ;; esac
      [ -d "/proc/$pid" ] && kill -TERM "$pid" 2>/dev/null && kill -CONT "$pid" 2>/dev/null
      told="$told $pid"
    done
    pause $step
    waited=$((waited + step))
    [ $step -lt 160 ] && step=$((step * 2))
  done
}
main() {
  local what grace unit
  hostname "$host_name"
  mount -n -a -T "$own/fstab" || exit 1
  cd /mnt && pivot_root . . && umount -l . && cd / || exit 1
  trap 'echo poweroff >&9' TERM INT HUP
  # The first boot waits until its network is served; when who serves it is gone, that comes later.
  [ -e /proc/self/fd/4 ] && { read -r _ <&4; exec 4<&-; }
  for unit in /etc/rc.d/*; do
    [ -f "$unit" ] && [ -x "$unit" ] && guest "$unit"
  done
  [ "$1" -eq 0 ] && guest run_user_data
  # In a shell of its own: who started us may have been killed, and a broken pipe must not end init.
  (echo ready >&3) 2>/dev/null
  exec 3>&-
  while :; do
    read -r what grace <&9 || continue
    case $what in
      poweroff) end_guests "${'$'}{grace:-$default_grace_ms}"; exit 0 ;;
      reboot) end_guests "$default_grace_ms"; exit 3 ;;
    esac
  done
}

case $1 in
  wait)
    echo born >&3
    read -r _ || exit 1
    # Rights come with the program that is started once one is somebody.
    exec /bin/bash "$own/init" boot
    ;;
  boot) supervise ;;
  main) main "$2" ;;
  kill) kill_machine "$2" "$3" ;;
esac
`;

/** The init script of one namespace machine. */
export function namespaceInit(id: string, directory: MachineDirectory, hostName: string): string {
  return [
    '#!/bin/bash',
    `# Init of the local cloud's machine ${id}: init wait | boot | main BOOTS | kill PID HOW`,
    `own=${quoted(directory.own)} host_name=${quoted(hostName)} default_grace_ms=${SHUTDOWN_GRACE_MS}`,
    INIT,
  ].join('\n');
}
