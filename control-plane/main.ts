import { siteUrl } from '../plugins/site/contract.ts'
import { BootError } from '../src/boot-error.ts'
import { systemClock } from '../src/clock.ts'
import { idleMemory } from '../src/kernel/idle-memory.ts'
import { startTask } from '../src/kernel/tasks.ts'
import { createLog } from '../src/log.ts'
import type { Program } from './boot.ts'
import { controlPlane } from './control-plane.ts'

const log = await createLog('longhouse', { level: process.env.LOG_LEVEL })

async function main(): Promise<void> {
  const program = await controlPlane({ env: process.env, log })
  await program.listen()
  welcome(program)
  stopOnSignals(program)
  startTask(idleMemory(), { clock: systemClock, log })
}

/** Prints the addresses, for the person who has just run `npm start`. */
function welcome({ site, services }: Program): void {
  const tokenFile = services.auth?.tokenFile
  process.stdout.write(`
  Longhouse runs at   ${siteUrl(site, 'control')}
  The admin token is  ${tokenFile ? `in ${tokenFile}` : 'the value of ADMIN_TOKEN'}
  Instances live at   ${siteUrl(site, '<subdomain>')}
  Ctrl-C stops the control plane; ${services.provisioner?.outlivesControlPlane ? 'containers keep running' : 'instances stop with it'}.

`)
}

/** The first signal stops the program in order; a second one stops it at once. */
function stopOnSignals(program: Program): void {
  let stopping = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(1)
      stopping = true
      log.info({ signal }, 'stopping')
      void program.stop().then(() => process.exit(0))
    })
  }
}

try {
  await main()
} catch (error) {
  if (error instanceof BootError) process.stderr.write(`Longhouse ${error.message}\n`)
  else log.fatal({ err: error }, 'cannot start')
  process.exit(1)
}
