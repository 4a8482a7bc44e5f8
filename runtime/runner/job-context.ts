import { format } from 'node:util'
import type { JobContext } from '../../sdk/jobs.js'
import { secretName } from '../manifest/secret-names.ts'
import { parseParams } from '../params/definition.ts'
import { contextState } from './context-state.ts'
import type { RunRequest } from './running.ts'

/**
 * What a job's function gets. `signal` is asked for when the job looks at it, and not before. Throws in words when the
 * parameters do not fit the job's own schema.
 */
export async function contextOf(
  request: RunRequest,
  job: { params?: unknown },
  { signal, call }: { signal: () => AbortSignal; call: (asked: unknown) => Promise<unknown> },
): Promise<JobContext> {
  const { id, slot, attempt, trigger } = request.run
  return {
    params: await parseParams(job.params, request.params),
    state: contextState(call),
    secrets: declaredOnly(request.secrets),
    get signal() {
      return signal()
    },
    run: { id, slot: slot === null ? null : new Date(slot), attempt, trigger },
    log: (...values) => void process.stdout.write(`${format(...values)}\n`),
  }
}

/** A secret that the job forgot to declare must not turn up as `undefined` in the middle of its work. */
function declaredOnly(secrets: Record<string, string>): Record<string, string> {
  return new Proxy(Object.freeze({ ...secrets }), {
    get: (held, name) => {
      if (typeof name === 'string' && secretName.test(name) && !Object.hasOwn(held, name)) {
        throw new Error(`the job does not declare the secret ${name}; name it in its "secrets"`)
      }
      return Reflect.get(held, name)
    },
  })
}
