import { systemClock } from '../src/clock.ts'
import { BootError } from '../src/faults.ts'
import { createLog } from '../src/log.ts'
import { type Runtime, startRuntime } from './program.ts'

/** Runs get seconds to tidy up; what takes longer than this is stuck. */
const longestStopMs = 30_000

const log = await createLog('runtime', { level: process.env.LOG_LEVEL })

async function main(): Promise<void> {
  const runtime = await startRuntime({
    env: process.env,
    log,
    clock: systemClock,
    spawned: process.send !== undefined,
  })
  stopWhenAsked(runtime)
  log.info({ port: runtime.port }, 'listening')
  process.send?.({ type: 'listening', port: runtime.port })
  await runtime.started
}

/** The first signal stops in order, and so does the end of the process that started this one; a second signal stops at once. */
function stopWhenAsked(runtime: Runtime): void {
  let stopping = false
  const stop = (why: string) => {
    if (stopping) process.exit(1)
    stopping = true
    log.info({ why }, 'stopping')
    // Nobody is left to end a process whose control plane is gone.
    setTimeout(() => process.exit(1), longestStopMs).unref()
    runtime.stop().then(
      () => process.exit(0),
      error => {
        log.error({ err: error }, 'did not stop in order')
        process.exit(1)
      },
    )
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop(signal))
  process.on('disconnect', () => {
    if (!stopping) stop('the control plane is gone')
  })
}

try {
  await main()
} catch (error) {
  if (error instanceof BootError) process.stderr.write(`Longhouse runtime ${error.message}\n`)
  else log.fatal({ err: error }, 'cannot start')
  process.exit(1)
}
