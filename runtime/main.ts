import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BootError } from '../src/boot-error.ts'
import { systemClock } from '../src/clock.ts'
import { idleMemory } from '../src/kernel/idle-memory.ts'
import { startTask } from '../src/kernel/tasks.ts'
import { createLog, type Logger } from '../src/log.ts'
import type { Runtime } from './boot.ts'
import { jobSpecVersion } from './manifest/manifest.ts'
import { jobSpecFile } from './manifest/program-version.ts'
import { newDatabaseFile, writeNewDatabase } from './new-database.ts'
import { plugins, startRuntime } from './program.ts'

async function main(): Promise<void> {
  const log = await createLog('runtime', { level: process.env.LOG_LEVEL })
  try {
    await start(log)
  } catch (error) {
    if (error instanceof BootError) process.stderr.write(`Longhouse runtime ${error.message}\n`)
    else log.fatal({ err: error }, 'cannot start')
    process.exit(1)
  }
}

async function start(log: Logger): Promise<void> {
  // Before anything starts: a signal without a handler ends the process at once, and leaves the first runs behind.
  const starting = Promise.withResolvers<Runtime>()
  stopWhenAsked(starting.promise, log)
  const runtime = await startRuntime({
    env: process.env,
    log,
    clock: systemClock,
    spawned: process.send !== undefined,
  })
  starting.resolve(runtime)
  log.info({ port: runtime.port }, 'listening')
  process.send?.({ type: 'listening', port: runtime.port })
  await runtime.started
  startTask(idleMemory(), { clock: systemClock, log })
}

/**
 * The first signal stops the runtime in order, and waits for runs in progress. A second signal ends it at once. When
 * the process that started this one is gone, the runtime stops in order without waiting for runs: no one can reach
 * it, and the next runtime needs its volume.
 */
function stopWhenAsked(starting: Promise<Runtime>, log: Logger): void {
  let stopping = false
  let runtime: Runtime | null = null
  const endNow = () => {
    runtime?.killRuns()
    process.exit(1)
  }
  const stopInOrder = async (patience: boolean) => {
    runtime = await starting
    setTimeout(endNow, runtime.stopGraceMs).unref()
    await runtime.stop({ patience })
  }
  const stop = (why: string, patience: boolean) => {
    if (stopping) endNow()
    stopping = true
    log.info({ why }, 'stopping')
    stopInOrder(patience).then(
      () => process.exit(0),
      error => {
        log.error({ err: error }, 'did not stop in order')
        process.exit(1)
      },
    )
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop(signal, true))
  process.on('disconnect', () => {
    if (!stopping) stop('the control plane is gone', false)
  })
}

const [, , option, folder] = process.argv
// The build calls this, and keeps beside the program what every start would make again.
if (option === '--make-ahead' && folder !== undefined) {
  writeNewDatabase(join(folder, newDatabaseFile), plugins)
  writeFileSync(join(folder, jobSpecFile), jobSpecVersion())
} else void main()
