import type { JobContext } from '../../sdk/jobs.js'
import type { Reply, StateCall } from './state-calls.ts'
import { keyFault, valueFault } from './state-limits.ts'

/** The state of a job for its function, in the process of the run. `call` makes a call to the runtime. */
export function contextState(call: (asked: StateCall) => Promise<unknown>): JobContext['state'] {
  const ask = async (asked: StateCall): Promise<unknown> => {
    const reply = (await call(asked)) as Reply
    if ('error' in reply) throw new Error(reply.error)
    return reply.value
  }
  const checked = (key: string): string => {
    const fault = keyFault(key)
    if (fault) throw new TypeError(`the key of a state ${fault}`)
    return key
  }
  return {
    get: async <T>(key: string) => {
      const json = (await ask({ state: 'get', key: checked(key) })) as string | null
      return json === null ? undefined : (JSON.parse(json) as T)
    },
    set: async (key, value) => {
      const json: string | undefined = JSON.stringify(value)
      const fault =
        json === undefined ? `is a ${typeof value}, which cannot be written as JSON` : valueFault(json)
      if (fault) throw new TypeError(`the state "${checked(key)}" ${fault}`)
      await ask({ state: 'set', key: checked(key), json })
    },
    delete: async key => (await ask({ state: 'delete', key: checked(key) })) as boolean,
    entries: async () => {
      const found = (await ask({ state: 'entries' })) as [string, string][]
      return found.map(([key, json]) => [key, JSON.parse(json)])
    },
  }
}
