import { invalidFields } from '../../../src/http/problem.ts'
import { DriverError } from '../driver.ts'
import type { Fleet } from '../records/fleet.ts'

/**
 * Throws `invalid`, by the name of the field, for an image that the engine has and that is not Longhouse's runtime: an instance would
 * stop for it, and not start. One that is not there yet is looked at once it is pulled, before anything stops.
 */
export async function refuseOtherImage(
  { driver }: Pick<Fleet, 'driver'>,
  image: string,
  field: string,
): Promise<void> {
  if (!(await isOther({ driver }, image))) return
  throw invalidFields([{ path: field, message: notRuntime(image) }])
}

/** Why an instance cannot be made from an image, in words that follow the name of the field. */
export function notRuntime(image: string): string {
  return `must be Longhouse’s runtime, or built on it; "${image}" is not`
}

async function isOther({ driver }: Pick<Fleet, 'driver'>, image: string): Promise<boolean> {
  try {
    const id = await driver.findImage(image)
    return id !== null && !(await driver.isRuntime(id))
  } catch (error) {
    // An engine that does not answer now is asked again by the upgrade itself.
    if (error instanceof DriverError) return false
    throw error
  }
}
