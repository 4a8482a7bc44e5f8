import { and, eq, inArray, isNull } from 'drizzle-orm'
import { DriverError, type HostImage } from '../driver.ts'
import type { Fleet } from '../records/fleet.ts'
import { instances, operations, rollbacks } from '../schema.ts'

/** An image of Longhouse on the host, with why it stays. */
export interface KeptImage extends HostImage {
  /** Why it is not removed, in words; empty for one that nothing needs. */
  neededBy: readonly string[]
}

/** The images of Longhouse, the newest first, each with what needs it. Throws when the engine cannot be asked. */
export async function listImages(fleet: Fleet): Promise<KeptImage[]> {
  const found = await fleet.driver.images()
  // Read after the engine was asked, and in one moment.
  const needs = needsOf(fleet)
  return found
    .map(image => ({ ...image, neededBy: neededBy(image, needs, fleet) }))
    .toSorted((one, other) => other.createdAt - one.createdAt)
}

interface Needs {
  /** Every image that an instance ever had, as far as the records go. */
  known: ReadonlySet<string>
  byId: ReadonlyMap<string, ReadonlySet<string>>
  byName: ReadonlyMap<string, ReadonlySet<string>>
}

/** What the records refer to, by image id and by name: instances, what they can go back to, work in progress. */
function needsOf({ db, imagesInUse }: Fleet): Needs {
  const byId = new Map<string, Set<string>>()
  const byName = new Map<string, Set<string>>()
  const add = (of: Map<string, Set<string>>, image: string | null, why: string) => {
    if (image !== null) of.set(image, (of.get(image) ?? new Set()).add(why))
  }
  const kept = isNull(instances.purgedAt)
  const own = db
    .select({ subdomain: instances.subdomain, image: instances.image, imageId: instances.imageId })
    .from(instances)
    .where(kept)
    .all()
  for (const { subdomain, image, imageId } of own) {
    add(byId, imageId, subdomain)
    // One that is not pinned yet is made from what the name means.
    if (imageId === null) add(byName, image, subdomain)
  }
  const back = db
    .select({ subdomain: instances.subdomain, imageId: rollbacks.imageId, image: rollbacks.image })
    .from(rollbacks)
    .innerJoin(instances, and(eq(instances.id, rollbacks.instanceId), kept))
    .all()
  for (const { subdomain, imageId, image } of back) {
    add(byId, imageId, `${subdomain} can go back to it`)
    if (imageId === null) add(byName, image, `${subdomain} can go back to it`)
  }
  const open = db
    .select({
      image: operations.image,
      before: operations.previousImage,
      beforeId: operations.previousImageId,
    })
    .from(operations)
    .where(inArray(operations.status, ['pending', 'running']))
    .all()
  for (const { image, before, beforeId } of open) {
    add(byName, image, 'an operation in progress')
    add(byName, before, 'an operation in progress')
    add(byId, beforeId, 'an operation in progress')
  }
  for (const { imageId, why } of imagesInUse()) add(byId, imageId, why)
  const had = db.select({ id: instances.imageId }).from(instances).all()
  const replaced = db.selectDistinct({ id: operations.previousImageId }).from(operations).all()
  return { byId, byName, known: new Set([...had, ...replaced].flatMap(({ id }) => id ?? [])) }
}

function neededBy(
  { id, tags, program, containers }: HostImage,
  needs: Needs,
  { defaultImage }: Fleet,
): string[] {
  const named = (name: string) => tags.includes(name) || tags.includes(`${name}:latest`) || name === id
  const names = [...needs.byName].flatMap(([name, whys]) => (named(name) ? [...whys] : []))
  return [
    ...new Set([
      ...(program === 'control-plane'
        ? ['images of the control plane are not pruned']
        : foreignness(tags, needs.known.has(id), defaultImage.name)),
      // The one that is configured, by what its name means now and by what it meant when it was last looked at.
      ...(named(defaultImage.name) || id === defaultImage.id ? ['new instances get it'] : []),
      ...containers.map(name => `the container ${name}`),
      ...(needs.byId.get(id) ?? []),
      ...names,
    ]),
  ]
}

/** Why an image may be another's though it has our label: one that is built on ours inherits it. */
function foreignness(tags: readonly string[], known: boolean, defaultName: string): string[] {
  if (tags.length === 0) return known ? [] : ['it has no tag, and no instance had it']
  const ours = (tag: string) => {
    const repository = repositoryOf(tag)
    return repository === repositoryOf(defaultName) || repository.split('/').at(-1) === 'longhouse-runtime'
  }
  return tags.every(ours) ? [] : ['its name is not one of Longhouse’s']
}

function repositoryOf(name: string): string {
  const colon = name.lastIndexOf(':')
  return colon > name.lastIndexOf('/') ? name.slice(0, colon) : name
}

/**
 * Returns the images that these ids are of: whole ids, with or without `sha256:`, or their first 12 hex digits or more, as
 * the page shows them. `unknown` are those that are of no image on the host, or of several.
 */
export async function imagesOf(
  fleet: Fleet,
  ids: readonly string[],
): Promise<{ found: string[]; unknown: string[] }> {
  const images = await listImages(fleet)
  const found: string[] = []
  const unknown: string[] = []
  for (const asked of ids) {
    const start = asked.replace(/^sha256:/, '')
    const isShort = /^[0-9a-f]{12,64}$/.test(start)
    const fitting = images.filter(
      ({ id }) => id === asked || (isShort && id.replace(/^sha256:/, '').startsWith(start)),
    )
    const [image] = fitting
    if (image && fitting.length === 1) found.push(image.id)
    else unknown.push(asked)
  }
  return { found, unknown }
}

/** What became of an image; `why` it was kept, in words, '' for one that was removed. */
export interface Pruned {
  image: KeptImage
  why: string
}

/**
 * Removes images of the runtime that nothing needs: those with these ids, or all that were made at least `olderThanMs` ago. Each is
 * looked at again right before. With `dryRun` nothing is removed.
 */
export async function pruneImages(
  fleet: Fleet,
  { ids, olderThanMs = 0, dryRun }: { ids: readonly string[] | null; olderThanMs?: number; dryRun: boolean },
): Promise<Pruned[]> {
  const wanted = (await listImages(fleet)).filter(({ id, createdAt, neededBy }) =>
    ids === null ? neededBy.length === 0 && fleet.clock.now() - createdAt >= olderThanMs : ids.includes(id),
  )
  const pruned: Pruned[] = []
  for (const { id } of wanted) {
    const image = (await listImages(fleet)).find(each => each.id === id)
    if (!image) continue
    if (image.neededBy.length > 0) pruned.push({ image, why: whyKept(image) })
    else pruned.push({ image, why: dryRun ? '' : await removed(fleet, image) })
  }
  return pruned
}

/** At most three reasons, then a number. */
export function whyKept({ neededBy }: Pick<KeptImage, 'neededBy'>): string {
  const more = neededBy.length - 3
  return neededBy.slice(0, 3).join(', ') + (more > 0 ? `, and ${more} more` : '')
}

async function removed({ driver }: Fleet, image: KeptImage): Promise<string> {
  try {
    await driver.removeImage(image)
    return ''
  } catch (error) {
    if (error instanceof DriverError) return error.message
    throw error
  }
}
