import { z } from 'zod'
import { DriverError, type InstanceSpec } from '../../driver.ts'
import type { Engine } from './engine.ts'
import { refusal } from './troubles.ts'

const pullWithinMs = 15 * 60_000

/**
 * Returns what makes sure that the image of a spec is on the engine, and answers with its id. Instances that are provisioned
 * at the same time wait for one pull.
 */
export function imageSource(
  engine: Engine,
): (spec: Pick<InstanceSpec, 'image' | 'imageId'>) => Promise<string> {
  const pulls = new Map<string, Promise<void>>()
  const pulled = async (image: string): Promise<void> => {
    const pull = pulls.get(image) ?? pullImage(engine, image).finally(() => pulls.delete(image))
    pulls.set(image, pull)
    await pull
  }
  return async ({ image, imageId: pinned }) => {
    const present = await imageId(engine, pinned ?? image)
    if (present) return present
    if (pinned !== null && !image.includes('/')) throw lost(image, pinned)
    await pulled(image)
    const now = await imageId(engine, pinned ?? image)
    if (now) return now
    if (pinned !== null) throw lost(image, pinned)
    throw new DriverError(`the image ${image} was pulled and is not there`, { permanent: false })
  }
}

/** An instance never moves to another image by itself, so without its own there is nothing to make it from. */
function lost(image: string, pinned: string): DriverError {
  return new DriverError(
    `the image that it was made from, ${image} (${pinned.slice(0, 19)}), is no longer on this Docker engine; load it there again, or upgrade the instance to one that is`,
    { permanent: true },
  )
}

/** The id of what an image's name, or id, means on this engine; null when it is not there. */
export async function imageId(engine: Engine, image: string): Promise<string | null> {
  const found = await engine.find(
    `look at the image ${image}`,
    { method: 'GET', path: `/images/${image}/json` },
    z.object({ Id: z.string().min(1) }),
    { absent: /no such image|image not known/i },
  )
  return found?.Id ?? null
}

const progressSchema = z.object({
  status: z.string().optional(),
  error: z.string().optional(),
  errorDetail: z.object({ message: z.string().optional() }).optional(),
})

/**
 * Fetches an image that is not there. A name without a repository path was built on this machine. The public
 * registry is not asked for it: anyone could have registered that name there. A pull that fails, at once or in mid-stream,
 * throws the engine's own words.
 */
async function pullImage(engine: Engine, image: string): Promise<void> {
  if (!image.includes('/')) {
    throw new DriverError(
      `the image ${image} is not on this Docker engine; build it there (npm run images), or set CONTROL_PLANE_IMAGE to one that is`,
      { permanent: true },
    )
  }
  const doing = `pull the image ${image}`
  let failure: string | null = null
  await engine.lines(
    doing,
    { method: 'POST', path: '/images/create', query: pullQuery(image) },
    line => {
      const progress = progressSchema.safeParse(line)
      if (!progress.success) return
      const { error, errorDetail } = progress.data
      failure ??= errorDetail?.message ?? error ?? null
    },
    { timeoutMs: pullWithinMs },
  )
  // The HTTP status was sent before the pull began: what went wrong since stands in the stream.
  if (failure !== null) throw refusal(doing, failure, false)
}

/** A digest stands in the place of a tag; without a tag the engine would fetch every one there is. */
function pullQuery(image: string): { fromImage: string; tag: string } {
  const digest = image.indexOf('@')
  if (digest > 0) return { fromImage: image.slice(0, digest), tag: image.slice(digest + 1) }
  const colon = image.lastIndexOf(':')
  return colon > image.lastIndexOf('/')
    ? { fromImage: image.slice(0, colon), tag: image.slice(colon + 1) }
    : { fromImage: image, tag: 'latest' }
}
