import { invalidFields } from '../../src/http/problem.ts'
import { paramFaults, withDefaults } from './check.ts'
import type { JsonSchema } from './json-schema.ts'

/** What a job says of its parameters, as far as it is known without its code. */
export interface ParamsSpec {
  schema: JsonSchema
  /**
   * True for a plain shape, whose defaults are filled in when a run is made. A library's schema does that itself when
   * the run begins.
   */
  plain: boolean
}

/** Every run keeps them, and lists of runs tell them. */
const largestParamsBytes = 64 * 1024

/** The parameters to make a run with. Throws the 422 that names each one that does not fit. */
export function acceptParams(
  spec: ParamsSpec | null,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const bytes = Buffer.byteLength(JSON.stringify(given))
  if (bytes > largestParamsBytes) {
    const message = `must be at most ${largestParamsBytes / 1024} KiB as JSON, and have ${bytes} bytes; keep what is large in a file`
    throw invalidFields([{ path: 'params', message }])
  }
  if (!spec) return { ...given }
  const faults = paramFaults(spec.schema, given)
  if (faults.length > 0) {
    throw invalidFields(
      faults.slice(0, 50).map(({ path, message }) => ({ path: path ? `params.${path}` : 'params', message })),
    )
  }
  return spec.plain ? withDefaults(spec.schema, given) : { ...given }
}

/** What a run gets that its schedule starts. */
export function scheduledParams(spec: ParamsSpec | null): Record<string, unknown> {
  return spec?.plain ? withDefaults(spec.schema, {}) : {}
}
