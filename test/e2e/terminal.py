"""Runs a command in a terminal: python3 terminal.py COLUMNS ROWS COMMAND… Input comes from stdin, output goes to stdout.
Of input, a line `\\x1eresize COLUMNS ROWS` is for the terminal itself. Last, what the terminal's settings were before and after."""
import errno, fcntl, os, pty, select, struct, sys, termios

def resize(fd, columns, rows):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

master, slave = pty.openpty()
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in 0, 1, 2:
        os.dup2(slave, fd)
    os.execvp(sys.argv[3], sys.argv[3:])
resize(master, int(sys.argv[1]), int(sys.argv[2]))
before = termios.tcgetattr(slave)
pending, open_input = b"", True
while True:
    ready, _, _ = select.select([master] + ([0] if open_input else []), [], [], 0.1)
    if master in ready:
        try:
            data = os.read(master, 65536)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            data = b""
        os.write(1, data)
    if 0 in ready:
        data = os.read(0, 65536)
        open_input = data != b""
        pending += data
        while b"\x1e" in pending and b"\n" in pending[pending.index(b"\x1e"):]:
            start = pending.index(b"\x1e")
            end = pending.index(b"\n", start)
            os.write(master, pending[:start])
            _, columns, rows = pending[start + 1:end].split()
            resize(master, int(columns), int(rows))
            pending = pending[end + 1:]
        if b"\x1e" not in pending:
            os.write(master, pending)
            pending = b""
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
        while select.select([master], [], [], 0.05)[0]:
            data = os.read(master, 65536)
            if not data:
                break
            os.write(1, data)
        after = termios.tcgetattr(slave)
        os.write(1, b"\nSETTINGS %s\n" % (b"kept" if before == after else b"changed"))
        sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
