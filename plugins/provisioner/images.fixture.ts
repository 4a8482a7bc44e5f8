import type { Driver, InstanceSpec } from './driver.ts'

/**
 * A driver of processes that are said to be made from images: `findImage` says what a name means, and `start` is called before an
 * instance starts, with its volume.
 */
export function withImages(
  real: Driver,
  {
    start = () => {},
    findImage = image => `sha256:${image}`,
  }: {
    start?(spec: InstanceSpec, volume: string): void | Promise<void>
    findImage?(image: string): string | null
  } = {},
): Driver {
  const specs = new Map<string, InstanceSpec>()
  return {
    ...real,
    usesImages: true,
    findImage: async image => findImage(image),
    prepareImage: async ({ image, imageId }) => imageId ?? findImage(image),
    create: async spec => {
      specs.set(spec.id, spec)
      await real.create(spec)
    },
    start: async ref => {
      const spec = specs.get(ref.id)
      if (spec) await start(spec, spec.volume)
      await real.start(ref)
    },
  }
}
