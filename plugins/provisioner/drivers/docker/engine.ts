import { Agent } from 'node:http'
import { z } from 'zod'
import { DriverError } from '../../driver.ts'
import { type EngineRequest, exchange, openAnswer, type RawAnswer } from './http.ts'
import { noAnswer, refusal, unreadable } from './troubles.ts'

interface Patience {
  timeoutMs?: number
}

/**
 * One Docker engine, asked with a deadline and answering in words when it cannot. `doing` completes "could not …". Every
 * call throws only DriverErrors. An answer counts only when it is whole and says what was expected: anything else is an
 * error, never a "no such thing".
 */
export interface Engine {
  readonly socketPath: string
  /** Reads what the engine answers, checked against `schema`. */
  read<T>(doing: string, request: EngineRequest, schema: z.ZodType<T>, patience?: Patience): Promise<T>
  /**
   * The same; null only when the engine says in its own words, which `absent` knows, that it has no such thing. They come
   * with the status `absentStatus`, 404 when left out.
   */
  find<T>(
    doing: string,
    request: EngineRequest,
    schema: z.ZodType<T>,
    options: Patience & { absent: RegExp; absentStatus?: number },
  ): Promise<T | null>
  /**
   * Has the engine do something. `already` holds the statuses that say that it was done or is being done: then the
   * result is false. So it is when what `absent` knows is not there; without `absent` that is an error.
   */
  command(
    doing: string,
    request: EngineRequest,
    options?: Patience & { already?: readonly number[]; absent?: RegExp },
  ): Promise<boolean>
  /** A body as it is. */
  bytes(doing: string, request: EngineRequest, patience?: Patience): Promise<Buffer>
  /** Reads an answer of one JSON text a line, as it comes. */
  lines(
    doing: string,
    request: EngineRequest,
    onLine: (line: unknown) => void,
    patience?: Patience,
  ): Promise<void>
  /** A body as it comes, read only as fast as it is asked for. Its head must come in time; then it may take for ever. */
  stream(doing: string, request: EngineRequest, signal: AbortSignal): AsyncIterable<Buffer>
  close(): void
}

/** What must be done may take long on a loaded disk; an engine that swallows a request must not hold a worker for ever. */
const workWithinMs = 60_000
/** What is only looked at is in the engine's memory. */
export const lookWithinMs = 5_000

const refusalSchema = z.object({ message: z.string() })

/** `mostMs` is the longest that any answer may take; without it, each kind of request has a time of its own. */
export function openEngine(socketPath: string, mostMs = Number.POSITIVE_INFINITY): Engine {
  const agent = new Agent({ keepAlive: true })
  const to = { socketPath, agent }

  const ask = async (
    doing: string,
    request: EngineRequest,
    wantedMs: number,
    onData?: (chunk: Buffer) => void,
  ): Promise<RawAnswer> => {
    const timeoutMs = Math.min(wantedMs, mostMs)
    try {
      return await within(timeoutMs, signal => exchange(to, request, signal, onData))
    } catch (error) {
      if (error instanceof DriverError) throw error
      throw noAnswer(doing, error, { socketPath, timeoutMs })
    }
  }
  /** The words of a refusal: null when the answer is none of the engine's. */
  const said = ({ body }: RawAnswer): string | null => {
    const parsed = refusalSchema.safeParse(jsonOf(body))
    return parsed.success ? parsed.data.message.trim() : null
  }
  const refused = (doing: string, answer: RawAnswer): DriverError => {
    const message = answer.status >= 400 ? said(answer) : null
    if (message === null) return unreadable(doing, socketPath, answer)
    // The engine refuses what it will never accept unchanged; any other error may pass.
    return refusal(doing, message, answer.status === 400)
  }
  const isAbsent = (answer: RawAnswer, absent: RegExp | undefined, status = 404): boolean =>
    answer.status === status && absent !== undefined && absent.test(said(answer) ?? '')
  const readable = <T>(doing: string, answer: RawAnswer, schema: z.ZodType<T>): T => {
    if (!succeeded(answer)) throw refused(doing, answer)
    const parsed = schema.safeParse(jsonOf(answer.body))
    if (!parsed.success) throw unreadable(doing, socketPath, answer)
    return parsed.data
  }

  return {
    socketPath,
    read: async (doing, request, schema, { timeoutMs = workWithinMs } = {}) =>
      readable(doing, await ask(doing, request, timeoutMs), schema),
    find: async (doing, request, schema, { timeoutMs = workWithinMs, absent, absentStatus }) => {
      const answer = await ask(doing, request, timeoutMs)
      return isAbsent(answer, absent, absentStatus) ? null : readable(doing, answer, schema)
    },
    command: async (doing, request, { timeoutMs = workWithinMs, already = [], absent } = {}) => {
      const answer = await ask(doing, request, timeoutMs)
      if (answer.status === 204) return true
      if (isAbsent(answer, absent)) return false
      // "Not modified" has no body; every other refusal has the engine's words in it.
      if (already.includes(answer.status) && (answer.status === 304 || said(answer) !== null)) return false
      throw refused(doing, answer)
    },
    bytes: async (doing, request, { timeoutMs = workWithinMs } = {}) => {
      const answer = await ask(doing, request, timeoutMs)
      if (answer.status !== 200) throw refused(doing, answer)
      return answer.body
    },
    lines: async (doing, request, onLine, { timeoutMs = workWithinMs } = {}) => {
      let rest = ''
      const decoder = new TextDecoder()
      const take = (line: string) => {
        if (line.trim() === '') return
        const json = jsonOf(line)
        if (json === undefined) throw unreadable(doing, socketPath, { status: 200, body: Buffer.from(line) })
        onLine(json)
      }
      let failure: unknown
      const answer = await ask(doing, request, timeoutMs, chunk => {
        if (failure) return
        const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n')
        rest = parts.pop() ?? ''
        try {
          parts.forEach(take)
        } catch (error) {
          failure = error
        }
      })
      if (failure) throw failure
      if (answer.status !== 200) throw refused(doing, answer)
      take(rest)
    },
    stream: async function* (doing, request, signal) {
      const late = new AbortController()
      const timeoutMs = Math.min(lookWithinMs, mostMs)
      const timer = setTimeout(
        () => late.abort(new DOMException('no answer in time', 'TimeoutError')),
        timeoutMs,
      )
      try {
        const answer = await openAnswer(socketPath, request, AbortSignal.any([signal, late.signal]))
        clearTimeout(timer)
        const status = answer.statusCode ?? 0
        if (status !== 200) {
          const chunks: Buffer[] = []
          for await (const chunk of answer) chunks.push(chunk as Buffer)
          throw refused(doing, { status, body: Buffer.concat(chunks) })
        }
        for await (const chunk of answer) yield chunk as Buffer
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof DriverError) throw error
        throw noAnswer(doing, error, { socketPath, timeoutMs })
      } finally {
        clearTimeout(timer)
      }
    },
    close: () => agent.destroy(),
  }
}

/** Whether a Docker engine answers on this socket within a second. */
export async function dockerAvailable(socketPath: string): Promise<boolean> {
  const engine = openEngine(socketPath)
  try {
    await ping(engine, 1000)
    return true
  } catch {
    return false
  } finally {
    engine.close()
  }
}

/** Throws in words when the engine does not answer. */
export async function ping(engine: Engine, timeoutMs = lookWithinMs): Promise<void> {
  const doing = 'reach Docker'
  const body = await engine.bytes(doing, { method: 'GET', path: '/_ping' }, { timeoutMs })
  if (body.toString('utf8').trim() !== 'OK') throw unreadable(doing, engine.socketPath, { status: 200, body })
}

function succeeded({ status }: RawAnswer): boolean {
  return status === 200 || status === 201
}

/** Undefined for what is not JSON. */
function jsonOf(body: Buffer | string): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

/** The answer, or after `timeoutMs` a TimeoutError; the exchange is aborted then, which frees its connection. */
async function within<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = new AbortController()
  const timer = setTimeout(
    () => deadline.abort(new DOMException('no answer in time', 'TimeoutError')),
    timeoutMs,
  )
  try {
    return await work(deadline.signal)
  } finally {
    clearTimeout(timer)
  }
}
