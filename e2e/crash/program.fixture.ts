// The control plane, with points at which its operations can be held, or at which it kills itself. See `control-plane.fixture.ts`.
import { existsSync } from 'node:fs'
import type { Driver } from '../../plugins/provisioner/driver.ts'
import { type KillOrder, Kills } from './kills.fixture.ts'
import { type Passed, Points, type Trap } from './points.fixture.ts'

let traps: Readonly<Record<string, Trap>> = JSON.parse(process.env.MATRIX_TRAPS ?? '{}')
const tell = (message: object) => process.send?.(message)
const points = new Points(
  () => traps,
  (passed: Passed) => tell({ type: 'passed', ...passed }),
)
const order: KillOrder | null = JSON.parse(process.env.MATRIX_KILLS ?? 'null')
const kills = order && new Kills(order)
if (kills) kills.watch()
else points.watch()
if (process.env.MATRIX_DIES_AT_START) kills?.arm()

const { boot } = await import('../../control-plane/boot.ts')
const { plugins } = await import('../../control-plane/program.ts')
const { controlWeb } = await import('../../control-plane/web.tsx')
const { provisionerOver } = await import('../../plugins/provisioner/index.ts')
const { DriverError } = await import('../../plugins/provisioner/driver.ts')
const { chooseDriver } = await import('../../plugins/provisioner/drivers/choice.ts')
const { withImages } = await import('../../plugins/provisioner/images.fixture.ts')
const { createProcessDriver } = await import('../../plugins/provisioner/drivers/process.ts')
const { stepRuns } = await import('../../plugins/provisioner/reconciler/steps.ts')
const { systemClock } = await import('../../src/clock.ts')
const { createLog } = await import('../../src/log.ts')

/** As an engine: it prepares no container for a volume that is not there. */
function demanding(driver: Driver): Driver {
  return {
    ...driver,
    prepareSuccessor: async spec => {
      if (!existsSync(spec.volume))
        throw new DriverError(`${spec.volume} does not exist`, { permanent: true })
      await driver.prepareSuccessor(spec)
    },
  }
}

const ownImages = (driver: Driver) => (process.env.MATRIX_IMAGES ? withImages(driver) : driver)

const log = await createLog('longhouse', { level: 'warn' })
const standIn = process.env.MATRIX_INSTANCE
const provisioner = provisionerOver(
  async (config, site, log) =>
    standIn === undefined
      ? await chooseDriver(config, site, log)
      : ownImages(demanding(createProcessDriver({ program: standIn, log, listenWithinMs: 60_000 }))),
  undefined,
  points.around(stepRuns),
)
const program = await boot({
  plugins: plugins.map(plugin => (plugin.name === 'provisioner' ? provisioner : plugin)),
  env: process.env,
  log,
  clock: systemClock,
  web: controlWeb(
    { url: name => `/assets/${name}`, mount: () => {} },
    { isOperator: () => false, isOwner: () => false },
  ),
})
interface Message {
  id: number
  traps?: typeof traps
  task?: string
  arms?: boolean
}
process.on('message', (message: Message) => {
  if (message.traps) traps = message.traps
  if (message.arms) kills?.arm()
  const work = message.task === undefined ? Promise.resolve() : program.runOnce(message.task)
  work.then(
    () => tell({ type: 'done', id: message.id }),
    (error: Error) => tell({ type: 'done', id: message.id, error: error.message }),
  )
})
process.on('disconnect', () => process.exit(0))
tell({ type: 'listening', port: await program.listen() })
