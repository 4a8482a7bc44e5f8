import { format } from 'node:util'
import type { JobContext } from '../../sdk/jobs.js'
import { secretName } from '../manifest/secret-names.ts'
import { parseParams } from '../params/definition.ts'
import { contextState } from './context-state.ts'
import type { RunRequest } from './run-protocol.ts'

/**
 * Creates the context of the job's function. `params` is what the job says its parameters are. `signal` is called when
 * the job first reads it. Throws if the parameters do not match.
 */
export async function contextOf(
  request: RunRequest,
  params: unknown,
  { signal, call }: { signal: () => AbortSignal; call: (asked: unknown) => Promise<unknown> },
): Promise<JobContext> {
  const { id, slot, attempt, trigger } = request.run
  return {
    params: await parseParams(params, request.params),
    state: contextState(call),
    secrets: declaredOnly(request.secrets),
    get signal() {
      return signal()
    },
    run: { id, slot: slot === null ? null : new Date(slot), attempt, trigger },
    log: (...values) => void process.stdout.write(`${format(...values)}\n`),
  }
}

/** Throws for an undeclared secret, instead of giving the job `undefined` in the middle of its work. */
function declaredOnly(secrets: Record<string, string>): Record<string, string> {
  return new Proxy(Object.freeze({ ...secrets }), {
    get: (values, name) => {
      if (typeof name === 'string' && secretName.test(name) && !Object.hasOwn(values, name)) {
        throw new Error(`the job does not declare the secret ${name}; add it to its "secrets"`)
      }
      return Reflect.get(values, name)
    },
  })
}
