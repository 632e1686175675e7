/** What the demo itself says goes to stderr: stdout is the jobs'. */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

export function heading(text) {
  process.stderr.write(`\n── ${text} ${'─'.repeat(Math.max(0, 76 - text.length))}\n`);
}
