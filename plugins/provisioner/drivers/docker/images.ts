import { z } from 'zod'
import type { HostImage } from '../../driver.ts'
import { type Engine, lookWithinMs } from './engine.ts'
import { imageId } from './image.ts'

const title = 'org.opencontainers.image.title'

/** The title of the images that instances are made from, and of the control plane's own. */
const titles = { runtime: 'Longhouse runtime', 'control-plane': 'Longhouse control plane' } as const

const imagesSchema = z.array(
  z.object({
    Id: z.string().min(1),
    RepoTags: z.array(z.string()).nullish(),
    Created: z.number(),
    Size: z.number(),
    Labels: z.record(z.string(), z.string()).nullish(),
  }),
)

const containersSchema = z.array(z.object({ ImageID: z.string(), Names: z.array(z.string()).nullish() }))

/** The images of Longhouse on this engine, by their label, each with the containers that are made from it, whosever they are. */
export async function longhouseImages(engine: Engine): Promise<HostImage[]> {
  const found = await engine.read(
    'list the images',
    { method: 'GET', path: '/images/json', query: { filters: JSON.stringify({ label: [title] }) } },
    imagesSchema,
  )
  // Read after the images: a container that is created meanwhile counts.
  const containers = await engine.read(
    'list the containers',
    { method: 'GET', path: '/containers/json', query: { all: true } },
    containersSchema,
    { timeoutMs: lookWithinMs },
  )
  return found.flatMap((image): HostImage[] => {
    const of = image.Labels?.[title]
    const program =
      of === titles.runtime ? 'runtime' : of === titles['control-plane'] ? 'control-plane' : null
    if (program === null) return []
    return [
      {
        ...{ id: image.Id, program, bytes: image.Size, createdAt: image.Created * 1000 },
        tags: (image.RepoTags ?? []).filter(tag => tag !== '<none>:<none>').sort(),
        containers: containers
          .filter(({ ImageID }) => ImageID === image.Id)
          .map(({ Names, ImageID }) => (Names?.[0] ?? ImageID).replace(/^\//, '')),
      },
    ]
  })
}

const labelledSchema = z.object({
  Config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }).nullish(),
})

/** Whether an image has the label of the runtime; one that is built on it inherits that. False for one that is not there. */
export async function isRuntime(engine: Engine, image: string): Promise<boolean> {
  const found = await engine.find(
    `look at the image ${image}`,
    { method: 'GET', path: `/images/${image}/json` },
    labelledSchema,
    { absent: /no such image|image not known/i },
  )
  return found?.Config?.Labels?.[title] === titles.runtime
}

/**
 * Removes an image by its tags, or by its id when it has none. It is never forced: the engine refuses while a container or
 * another image needs it.
 */
export async function removeImage(
  engine: Engine,
  { id, tags }: Pick<HostImage, 'id' | 'tags'>,
): Promise<void> {
  for (const name of tags.length > 0 ? tags : [id]) {
    // Since it was listed, a newer image may have taken the name.
    if ((await imageId(engine, name)) !== id) continue
    await engine.find(
      `remove the image ${name}`,
      { method: 'DELETE', path: `/images/${name}` },
      z.array(z.unknown()),
      { absent: /no such image|image not known/i },
    )
  }
}
