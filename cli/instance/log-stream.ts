import { setTimeout as pause } from 'node:timers/promises'
import { open, Refusal } from '../command/api.ts'
import { eventsOf } from '../command/events.ts'
import { CommandError } from '../command/jobs-folder.ts'
import type { Place } from '../command/place.ts'

/** A run, as the API shows it. */
export interface RunJson {
  id: string
  job_id: string
  status: string
  trigger: string
  slot: string | null
  attempt: number
  queued_at: string
  finished_at: string | null
  duration_ms: number | null
  error: { message: string; stack: string | null } | null
}

/** How often in a row a broken connection is opened again, and how long after. */
const retries = { most: 10, pauseMs: 2000 }

/**
 * Calls back with each piece of a run's log as it comes, and resolves with the run when it has ended. A connection that
 * breaks is continued where it was.
 */
export async function followLog(
  instance: Place,
  path: string,
  { signal, write }: { signal: AbortSignal; write: (text: string) => void },
): Promise<RunJson> {
  let lastId: string | null = null
  for (let broken = 0; ; broken++) {
    try {
      const headers: Record<string, string> = {
        Accept: 'text/event-stream',
        ...(lastId !== null && { 'Last-Event-ID': lastId }),
      }
      for await (const event of eventsOf(await open(instance, path, { signal, headers }))) {
        if (event.name === 'end') return JSON.parse(event.data) as RunJson
        write(event.data)
        lastId = event.id ?? lastId
        broken = 0
      }
    } catch (error) {
      signal.throwIfAborted()
      // The first one tells what is wrong with the address or the token, and a refusal that access has ended.
      const isFinal = error instanceof Refusal && error.status < 500
      if (isFinal || lastId === null || broken >= retries.most) throw error
    }
    if (broken >= retries.most) throw new CommandError(`the log of ${instance.origin} ended before its run`)
    await pause(retries.pauseMs, undefined, { signal })
  }
}
