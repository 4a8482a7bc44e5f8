import { type Clock, systemClock } from '../src/clock.ts'
import type { Environment } from '../src/kernel/config.ts'
import type { Logger } from '../src/log.ts'
import { boot, type Program } from './boot.ts'
import { plugins } from './program.ts'
import { builtWeb } from './web.tsx'

/** Sets up the control plane, which answers once `listen` is called. Throws a BootError that names every fault. */
export async function controlPlane(options: {
  env: Environment
  log: Logger
  clock?: Clock
}): Promise<Program> {
  const { env, log, clock = systemClock } = options
  let program: Program | undefined
  const web = builtWeb({
    isOperator: c => program?.services.auth?.isOperator(c) ?? false,
    isOwner: c => (program?.services.auth?.visitor(c) ?? null) !== null,
  })
  program = await boot({ plugins, env, log, clock, web })
  return program
}
