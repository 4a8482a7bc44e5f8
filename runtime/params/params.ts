import { invalidFields } from '../../src/http/problem.ts'
import { paramFaults, withDefaults } from './check.ts'
import type { JsonSchema } from './json-schema.ts'

/** A job's parameters, as far as they are known without running its code. */
export interface ParamsSpec {
  schema: JsonSchema
  /**
   * True for a plain shape, whose defaults are filled in when a run is created. A library's schema does that itself
   * in the run.
   */
  plain: boolean
}

/** Every run stores them, and lists of runs contain them. */
const largestParamsBytes = 64 * 1024

/** Returns the parameters for a new run. Throws the 422 that names each invalid one. */
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

/** The parameters of a scheduled run. */
export function scheduledParams(spec: ParamsSpec | null): Record<string, unknown> {
  return spec?.plain ? withDefaults(spec.schema, {}) : {}
}
