// An engine as a process of its own, for tests that kill it. Its volume is the first argument.
import { systemClock } from '../src/clock.ts'
import { silentLog } from '../src/log.ts'
import { createEngine } from './engine.fixture.ts'
import { openVolume } from './open-volume.ts'

const volume = openVolume(process.argv[2] ?? '')
const engine = await createEngine({ volume, log: silentLog, clock: systemClock })
process.on('message', (jobId: string) => {
  process.send?.(engine.run(jobId, { trigger: 'manual' }).id)
})
const waiting = setInterval(() => {
  if (!engine.manifest().commit) return
  clearInterval(waiting)
  process.send?.('ready')
}, 10)
