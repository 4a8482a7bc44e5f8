import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { notPossibleNow } from '../contract.ts'
import { DriverError } from '../driver.ts'
import type { Fleet } from '../records/fleet.ts'
import { findBySubdomain, findInstance } from '../records/instance.ts'
import { openOperationOf } from '../records/operation.ts'
import { codeOf, statOf } from '../volumes/folder.ts'
import { type VolumeSight, volumePath } from '../volumes/volume.ts'
import { containerFault, leftOver } from './containers.ts'
import { type Orphan, orphanId } from './orphan.ts'

/** What a repair does, in words, before it is done. */
export function effectOf({ kind, repair, name }: Orphan, dataRoot: string): string {
  switch (repair) {
    case 'remove':
      return kind === 'network'
        ? `The network ${name} is removed. No container is on it.`
        : `The container ${name} is stopped and removed. Its volume stays.`
    case 'set-aside':
      return `${join(dataRoot, name)} is moved to ${asideRoot(dataRoot)}. Nothing is deleted.`
    case 'put-back':
      return `${join(dataRoot, name)} is moved to the place of its instance’s volume. Nothing is deleted.`
    case 'forget':
      return `Requests for ${name} are no longer routed.`
    case 'start':
      return `The reconciler looks at ${name} now, and starts it.`
    case null:
      return 'Nothing can be done about it here.'
  }
}

function asideRoot(dataRoot: string): string {
  return join(dataRoot, '.control', 'set-aside')
}

/**
 * Does what can be done about an orphan, after a new look at it. Throws `not-possible-now`, with nothing changed, when it is no
 * longer what it was, when it is in use, or when it fits the records by now. Returns what was done, in words.
 */
export async function repairOrphan(
  fleet: Fleet,
  orphan: Orphan,
  actions: { recheck(instanceId: string): void },
): Promise<string> {
  try {
    return await repair(fleet, orphan, actions)
  } catch (error) {
    if (!(error instanceof DriverError)) throw error
    throw notPossibleNow(`${error.message}. Compare again to see how it is now.`)
  }
}

async function repair(
  fleet: Fleet,
  orphan: Orphan,
  { recheck }: { recheck(instanceId: string): void },
): Promise<string> {
  switch (orphan.repair) {
    case 'remove':
      return await remove(fleet, orphan)
    case 'set-aside':
      return await setAside(fleet, orphan)
    case 'put-back':
      return await putBack(fleet, orphan)
    case 'forget':
      refuseTaken(fleet, orphan.name)
      fleet.router.remove(orphan.name)
      return `Requests for ${orphan.name} are no longer routed.`
    case 'start':
      if (orphan.instanceId !== null) recheck(orphan.instanceId)
      return `${orphan.name} is looked at now.`
    case null:
      throw notPossibleNow(`Nothing can be done about “${orphan.name}” here. ${orphan.advice}`)
  }
}

async function remove(fleet: Fleet, orphan: Orphan): Promise<string> {
  const { driver, site } = fleet
  const { id, kind, name } = orphan
  const leftover = (await driver.leftovers(site.dataRoot)).find(each => leftOver(each).id === id)
  if (leftover) {
    await driver.discardLeftover(site.dataRoot, leftover.id)
    return `The ${kind} ${name} was removed.`
  }
  if (kind === 'network') throw notPossibleNow(`The network ${name} is no longer there, or in use by now.`)
  return await removeContainer(fleet, orphan)
}

/** Removes a container that was made for an instance. */
async function removeContainer(fleet: Fleet, { id, name }: Orphan): Promise<string> {
  const { driver, site, db } = fleet
  const there = (await driver.existing(site.dataRoot)).find(
    each => orphanId('container', each.container, each.id ?? '') === id,
  )
  if (there?.id === undefined) throw notPossibleNow(`The container ${name} is no longer there.`)
  const { instanceId } = there
  if (openOperationOf(db, instanceId))
    throw notPossibleNow(`An operation on its instance is in progress. Nothing was changed.`)
  if (containerFault(findInstance(db, instanceId) ?? undefined, there.active) === null)
    throw notPossibleNow(`The container ${name} fits the records by now. Nothing was changed.`)
  await driver.discard(site.dataRoot, there.id)
  return `The container ${name} was removed.`
}

async function setAside(fleet: Fleet, orphan: Orphan): Promise<string> {
  const { site, clock } = fleet
  const path = volumePath(site.dataRoot, orphan.name)
  refuseTaken(fleet, orphan.name)
  await lookAgain(fleet, orphan, path)
  const aside = asideRoot(site.dataRoot)
  await mkdir(aside, { recursive: true, mode: 0o700 })
  const to = join(aside, asideName(orphan, new Date(clock.now()).toISOString().replaceAll(/[:.]/g, '-')))
  await move(path, to)
  // An instance of this name may have been made meanwhile, to adopt the folder.
  if (findBySubdomain(fleet.db, orphan.name) !== null) {
    if ((await statOf(path)) === null) await move(to, path)
    refuseTaken(fleet, orphan.name)
  }
  return `It was moved to ${to}.`
}

/** Bytes that a file system takes as a name. */
const longestName = 255

/** A name with the time in it. Where that is too long, the beginning of the name is kept, with the id in place of the rest. */
function asideName({ id, name }: Pick<Orphan, 'id' | 'name'>, time: string): string {
  if (Buffer.byteLength(`${name}.${time}`) <= longestName) return `${name}.${time}`
  const end = `….${id}.${time}`
  let kept = name.slice(0, longestName)
  while (Buffer.byteLength(kept + end) > longestName) kept = Array.from(kept).slice(0, -1).join('')
  return kept + end
}

async function putBack(fleet: Fleet, orphan: Orphan): Promise<string> {
  const { site, db } = fleet
  const from = volumePath(site.dataRoot, orphan.name)
  refuseTaken(fleet, orphan.name)
  const sight = await lookAgain(fleet, orphan, from)
  const record = sight.kind === 'marked' ? findInstance(db, sight.id) : null
  if (!record || record.purgedAt !== null)
    throw notPossibleNow(`No record has the instance of ${from}. Nothing was changed.`)
  if (openOperationOf(db, record.id))
    throw notPossibleNow(`An operation on ${record.subdomain} is in progress. Nothing was changed.`)
  const to = volumePath(site.dataRoot, record.subdomain)
  if ((await fleet.lookAtVolume(to)).kind !== 'absent')
    throw notPossibleNow(`Something stands at ${to} already. Nothing was changed.`)
  await move(from, to)
  return `It was moved to ${to}. The instance starts by itself if it should run.`
}

/** Throws unless the folder is the one that was listed, and nothing uses it. */
async function lookAgain(
  fleet: Fleet,
  orphan: Orphan,
  path: string,
): Promise<Exclude<VolumeSight, { kind: 'absent' }>> {
  const sight = await fleet.lookAtVolume(path)
  if (sight.kind === 'absent' || orphanId('folder', orphan.name, sight.file) !== orphan.id)
    throw notPossibleNow(`${path} is no longer what was listed. Nothing was changed; compare again.`)
  const id = sight.kind === 'marked' ? sight.id : ''
  await fleet.driver.refuseInUse({ id, volume: path })
  return sight
}

function refuseTaken(fleet: Fleet, name: string): void {
  if (findBySubdomain(fleet.db, name) !== null)
    throw notPossibleNow(`An instance is called "${name}" by now. Nothing was changed.`)
}

async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (['EBUSY', 'EXDEV'].includes(codeOf(error)))
      throw notPossibleNow(
        `${from} is a disk of its own, and cannot be moved. Unmount it. Nothing was changed.`,
      )
    throw notPossibleNow(`${from} could not be moved: ${(error as Error).message}. Nothing was changed.`)
  }
}
