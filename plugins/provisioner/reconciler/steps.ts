import { clearTimeout, setTimeout } from 'node:timers'
import { notRuntime } from '../commands/upgrade-image.ts'
import { DriverError } from '../driver.ts'
import { quoteEntry } from '../log/log-text.ts'
import { deleteVolume } from '../volumes/deletion.ts'
import { forgetKept, refuseUnkept } from '../volumes/kept.ts'
import { clearRestore, restoreFolders, settleRestore } from '../volumes/restored.ts'
import { markVolume, VolumeError, type VolumeSight, volumeFault } from '../volumes/volume.ts'
import { restoreSteps } from './restore-steps.ts'
import { type StepContext, type StepRuns, whileAlone } from './step-context.ts'
import { upgradeSteps } from './upgrade-steps.ts'

/** The instance answers as itself, and its checks fail: it is left running, so that its owner can fix it. */
export class ChecksFailError extends DriverError {
  constructor(message: string) {
    super(message, { permanent: false })
    this.name = 'ChecksFailError'
  }
}

export const stepRuns: StepRuns = {
  'check volume': async step => {
    const { operation, dataRoot, spec } = step
    await requireVolume(step)
    if (operation.kind === 'upgrade') await refuseUnkept(dataRoot, spec.subdomain)
    return undefined
  },
  'prepare volume': async step => {
    const { spec, driver } = step
    const before = await requireVolume(step)
    await driver.prepareVolume(spec)
    // A disk may go away, or something else take its place, between the look and the creation of the folder.
    const sight = await requireVolume(step)
    refuseOther(step, before, sight)
    if (!(await markVolume(spec.volume, spec.id, sight)))
      throw foreign(`the volume at ${spec.volume} was changed while it was prepared; nothing was overwritten`)
    return before.kind === 'absent' ? 'new' : 'kept as it was'
  },
  'prepare image': async step => {
    const { spec, driver, keepsImage, operation } = step
    if (operation.kind === 'upgrade' && step.replacedImageId === null)
      step.replacedImageId = (await driver.inspect(spec)).imageId
    const kept = spec.imageId ?? (keepsImage ? (await driver.inspect(spec)).imageId : null)
    const imageId = await driver.prepareImage({ ...spec, imageId: kept })
    if (operation.kind === 'upgrade' && imageId !== null && !(await driver.isRuntime(imageId)))
      throw new DriverError(`the image ${notRuntime(spec.image)}`, { permanent: true })
    step.spec = { ...spec, imageId }
    if (!driver.usesImages) return undefined
    return imageId === null ? spec.image : `${spec.image} (${imageId.slice(0, 19)})`
  },
  'prepare successor': async ({ spec, driver, look }) => {
    // It only saves time. A volume that is lost is restored, and an operation that is interrupted between the two renames of a swap
    // goes on; until then an engine makes no container for it.
    if ((await look(spec.volume)).kind === 'absent') return 'later: its volume is not there'
    await driver.prepareSuccessor(spec)
    return undefined
  },
  'stop routing': async ({ spec, router }) => {
    router.set(spec.subdomain, { state: 'stopped', instanceId: spec.id })
    return undefined
  },
  'stop container': async ({ spec, driver, stopGraceMs, stopped }) => {
    await driver.stop(spec, stopGraceMs)
    stopped()
    return undefined
  },
  'remove container': async ({ spec, driver, router }) => {
    await driver.remove(spec)
    router.remove(spec.subdomain)
    return undefined
  },
  'create container': async ({ spec, driver }) => {
    await driver.create(spec)
    return undefined
  },
  'start container': async step => {
    const { spec, driver } = step
    await driver.start(spec).catch(async error => {
      throw error instanceof DriverError && error.hasLog ? await withLog(step, error.message) : error
    })
    return undefined
  },
  'wait until healthy': waitUntilHealthy,
  ...restoreSteps,
  ...upgradeSteps,
  'delete volume': whileAlone(async ({ spec, volume, dataRoot, driver, look, ownerOf }) => {
    // Absence must be certain: a container must not run on a volume that is being deleted.
    await driver.refuseInUse(spec)
    await settleRestore(dataRoot, spec)
    const words = await deleteVolume(dataRoot, { ...volume, subdomain: spec.subdomain }, { look, ownerOf })
    await clearRestore(restoreFolders(dataRoot, spec.id))
    await forgetKept(dataRoot, spec.id)
    return words
  }),
}

/** What stands at the volume's place, when the instance may start on it. Throws a VolumeError when it may not. */
async function requireVolume(step: StepContext): Promise<VolumeSight> {
  const { spec, volume, look, ownerOf, dataRoot } = step
  await settleRestore(dataRoot, spec)
  const sight = await look(spec.volume)
  const { id, volumePermit } = volume
  const owner = sight.kind === 'marked' && sight.id !== id ? ownerOf(sight.id) : null
  // What may be adopted may have been moved since: never the volume of one that has a record.
  const permit = owner === null ? volumePermit : null
  const fault = volumeFault({ ...volume, volumePermit: permit }, spec.volume, sight)
  if (fault) throw new VolumeError(fault, { permanent: true })
  return sight
}

/** Throws unless what stands there after the volume was prepared is what was judged before. */
function refuseOther({ spec }: StepContext, before: VolumeSight, after: VolumeSight): void {
  const missing = before.kind === 'marked' ? before.id === spec.id : before.kind !== 'absent'
  const isOwn = after.kind === 'marked' && after.id === spec.id
  if (isOwn) return
  const isEmpty = after.kind === 'fresh' && after.names.length === 0
  if (before.kind === 'absent' ? isEmpty : 'file' in after && after.file === before.file) return
  if (missing && (isEmpty || after.kind === 'absent'))
    throw new VolumeError(
      { kind: 'missing', words: `its volume is missing at ${spec.volume}` },
      { permanent: true },
    )
  throw foreign(`something else took the place of the volume at ${spec.volume}; nothing was overwritten`)
}

function foreign(words: string): VolumeError {
  return new VolumeError({ kind: 'foreign', words }, { permanent: true })
}

async function waitUntilHealthy(step: StepContext): Promise<string | undefined> {
  const { spec, driver, health, healthDeadlineMs, signal, operation } = step
  const { address } = await driver.inspect(spec)
  if (!address) throw await withLog(step, 'the container ended right after it was started')
  const ended = new AbortController()
  const isGate = operation.kind === 'upgrade' || operation.kind === 'rollback'
  const waiting = health.wait(
    spec.id,
    healthDeadlineMs,
    AbortSignal.any([signal, ended.signal]),
    isGate ? gateChecksWithinMs : null,
  )
  step.started(address)
  const stopWatching = watchForEnd(step, () => ended.abort())
  const result = await waiting
  stopWatching()
  if (signal.aborted) return undefined
  if (!result.healthy) {
    if (ended.signal.aborted) throw await withLog(step, 'the container ended before it was healthy')
    const withinMs = isGate && result.answers ? gateChecksWithinMs : healthDeadlineMs
    const why = `it was not healthy within ${Math.round(withinMs / 1000)} s: ${result.reason}`
    throw result.answers ? new ChecksFailError(why) : await withLog(step, why)
  }
  return undefined
}

const watchEveryMs = 300
/** The lines of its log that the error of an instance quotes, and how long reading them may take. */
const linesInError = 20
const logWithinMs = 5000
/** Requests are held meanwhile: a new version that answers must pass its checks within this. */
const gateChecksWithinMs = 5000

/**
 * Checks again and again that the container still runs, and was not restarted by the engine: there is no point in waiting for one
 * that ended, or that ends in a loop.
 */
function watchForEnd({ driver, spec }: StepContext, onEnd: () => void): () => void {
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  const look = async () => {
    try {
      if ((await driver.inspect(spec)).state !== 'running' || (await driver.restarts(spec)) > 0)
        return onEnd()
    } catch {
      // An engine that does not answer now says nothing about the container; the deadline still stands.
    }
    if (!stopped) timer = setTimeout(() => void look(), watchEveryMs)
  }
  timer = setTimeout(() => void look(), watchEveryMs)
  return () => {
    stopped = true
    clearTimeout(timer)
  }
}

/** The last lines that the instance wrote, as people may read them. */
async function lastLines({ spec, driver, secrets }: StepContext): Promise<string[]> {
  const window = { since: null, until: null, tail: linesInError, follow: false }
  const lines: string[] = []
  for await (const entry of driver.log(spec, window, AbortSignal.timeout(logWithinMs)))
    lines.push(quoteEntry(entry, secrets()))
  return lines
}

/** Makes an error with the last lines that the instance wrote, and stops it, so that it does not crash in a loop. */
async function withLog(step: StepContext, why: string): Promise<DriverError> {
  const { spec, driver, stopGraceMs } = step
  const lines = await lastLines(step).catch(() => [])
  await driver.stop(spec, stopGraceMs)
  step.stopped()
  const log = lines.length > 0 ? `\nIts last lines:\n${lines.join('\n')}` : '\nIt wrote nothing.'
  return new DriverError(`${why}.${log}`, { permanent: false })
}
