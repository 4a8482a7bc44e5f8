import { and, isNotNull, isNull, ne, type SQL } from 'drizzle-orm'
import type { Driver } from '../driver.ts'
import { type InstanceRow, instances } from '../schema.ts'

/** How often the engine is asked what the name of the configured image means. */
export const lookAtImageEveryMs = 60_000

/** The image that instances are provisioned with and upgraded to, unless another one is named. */
export class DefaultImage {
  readonly name: string
  readonly #driver: Driver
  #id: string | null = null

  constructor(name: string, driver: Driver) {
    this.name = name
    this.#driver = driver
  }

  /** What its name means on the engine, as last seen; null while that is not known. */
  get id(): string | null {
    return this.#id
  }

  async look(): Promise<void> {
    this.#id = await this.#driver.findImage(this.name)
  }
}

/** Whether an upgrade to the default image would change an instance. */
export function isBehind({ imageId, status }: Pick<InstanceRow, 'imageId' | 'status'>, { id }: DefaultImage) {
  return id !== null && imageId !== null && imageId !== id && status !== 'deleted'
}

/** The same for a query; null when no instance is. */
export function behind({ id }: DefaultImage): SQL | undefined | null {
  if (id === null) return null
  return and(
    isNull(instances.purgedAt),
    isNotNull(instances.imageId),
    ne(instances.imageId, id),
    ne(instances.status, 'deleted'),
  )
}
