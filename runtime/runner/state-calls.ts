import { z } from 'zod'
import { isDiskFull } from '../../src/storage/disk.ts'
import { type JobState, StateError } from './job-state.ts'
import { keyFault, valueFault } from './state-limits.ts'

/** What a run may ask of the state of its job, one call at a time. Values travel as JSON texts. */
const call = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('get'), key: z.string() }),
  z.strictObject({ state: z.literal('delete'), key: z.string() }),
  z.strictObject({ state: z.literal('set'), key: z.string(), json: z.string() }),
  z.strictObject({ state: z.literal('entries') }),
])

export type StateCall = z.output<typeof call>
export type Reply = { value: unknown } | { error: string }

/** The rate limit: this many calls at once, and after them this many a second. */
const burst = 1000
const perSecond = 200

/** Answers the calls of one run, whatever it sends. Never rejects. */
export function answerCalls(state: JobState): (said: unknown) => Promise<Reply> {
  let tokens = burst
  let countedAt = performance.now()
  const pace = async () => {
    const now = performance.now()
    tokens = Math.min(burst, tokens + ((now - countedAt) / 1000) * perSecond)
    countedAt = now
    tokens--
    if (tokens < 0) await new Promise(done => setTimeout(done, 1000 / perSecond).unref())
  }

  return async said => {
    await pace()
    const asked = call.safeParse(said).data
    if (!asked) return { error: 'the run asked for something that there is not' }
    try {
      return { value: await perform(state, asked) }
    } catch (error) {
      if (error instanceof StateError) return { error: error.message }
      if (isDiskFull(error)) return { error: 'the state could not be kept: the disk is full' }
      return { error: `the state could not be kept or read: ${(error as Error).message}` }
    }
  }
}

async function perform(state: JobState, asked: StateCall): Promise<unknown> {
  if (asked.state === 'entries') return state.entries()
  const { key } = asked
  const wrongKey = keyFault(key)
  if (wrongKey) throw new StateError(`the key of a state ${wrongKey}`)
  if (asked.state === 'get') return state.get(key)
  if (asked.state === 'delete') return state.delete(key)
  const fault = isJson(asked.json) ? valueFault(asked.json) : 'is no JSON'
  if (fault) throw new StateError(`the state "${key}" ${fault}`)
  return state.set(key, asked.json)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
