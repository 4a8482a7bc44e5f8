// `longhouse`: the jobs of a jobs repo on a person's own machine.
import { runCommandLine } from './program.ts'

const asked = new AbortController()
const atOnce = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (asked.signal.aborted) atOnce.abort()
    asked.abort()
  })
}
// The reader of our output may close it early, as `head` does.
process.stdout.on('error', error => {
  if ((error as NodeJS.ErrnoException).code === 'EPIPE') asked.abort()
  else throw error
})

process.exitCode = await runCommandLine(process.argv.slice(2), {
  signal: asked.signal,
  atOnce: atOnce.signal,
})
