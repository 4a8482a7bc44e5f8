import { Agent } from 'node:http'
import Docker from 'dockerode'
import { DriverError } from './driver.ts'

/** One Docker engine, asked with a deadline and answering in words when it cannot. */
export interface Engine {
  readonly docker: Docker
  /**
   * Runs one exchange with the engine. `doing` completes "could not …" in the words of a failure. Throws only
   * DriverErrors, except for the HTTP statuses in `expected`, which are thrown as EngineAnswers.
   */
  ask<T>(
    doing: string,
    work: (docker: Docker, signal: AbortSignal) => Promise<T>,
    options?: { timeoutMs?: number; expected?: readonly number[] },
  ): Promise<T>
  close(): void
}

/** What the engine said no with, for a caller who knows what to make of it. */
export class EngineAnswer extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** An engine that swallows a request must not hold a reconciler for ever; a loaded disk may well take this long. */
const answerWithinMs = 60_000

export function openEngine(socketPath: string): Engine {
  const agent = new Agent({ keepAlive: true })
  const docker = connect(socketPath, agent)
  return {
    docker,
    ask: async (doing, work, { timeoutMs = answerWithinMs, expected = [] } = {}) => {
      try {
        return await within(timeoutMs, signal => work(docker, signal))
      } catch (error) {
        const status = statusOf(error)
        if (status !== null && expected.includes(status)) throw new EngineAnswer(status, wordsOf(error))
        throw inWords(doing, error, socketPath, timeoutMs)
      }
    },
    close: () => agent.destroy(),
  }
}

/**
 * The answer, or after `timeoutMs` a TimeoutError. Aborting the request as well frees its connection at once, where
 * the client offers that; the others are freed by `close`.
 */
async function within<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = new AbortController()
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    reject(new DOMException('no answer in time', 'TimeoutError'))
    deadline.abort()
  }, timeoutMs)
  try {
    return await Promise.race([work(deadline.signal), late])
  } finally {
    clearTimeout(timer)
  }
}

/** Whether a Docker engine answers on this socket within a second. */
export async function dockerAvailable(socketPath: string): Promise<boolean> {
  const agent = new Agent()
  try {
    await within(1000, () => connect(socketPath, agent).ping())
    return true
  } catch {
    return false
  } finally {
    agent.destroy()
  }
}

/** The host is given as well because the client would prefer one from DOCKER_HOST to our socket. */
function connect(socketPath: string, agent: Agent): Docker {
  const options = { socketPath, host: '', protocol: 'http' as const, agent }
  return new Docker(options)
}

/** Null for an answer that `expected` foresaw: absent, or already so. */
export async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof EngineAnswer) return null
    throw error
  }
}

function statusOf(error: unknown): number | null {
  const status = (error as { statusCode?: unknown }).statusCode
  return typeof status === 'number' ? status : null
}

/** The engine's own sentence, without the HTTP dressing that the client puts around it. */
function wordsOf(error: unknown): string {
  const said = (error as { json?: { message?: unknown } }).json?.message
  return typeof said === 'string' ? said.trim() : (error as Error).message.trim()
}

/** What the engine says of troubles that operators meet, and what helps. */
const troubles: readonly { pattern: RegExp; permanent: boolean; help: string }[] = [
  {
    pattern: /no space left on device/i,
    permanent: false,
    help: 'The disk of the Docker engine is full: free some space (docker system df shows what takes it).',
  },
  {
    pattern: /non-overlapping IPv4 address pool|pool overlaps/i,
    permanent: false,
    help: 'The engine has no address range left for a network: remove unused ones (docker network prune) or widen default-address-pools in its daemon.json.',
  },
  {
    pattern: /no available (IPv4 )?address/i,
    permanent: false,
    help: 'Every address of the network is taken: recreate it with a larger subnet.',
  },
  {
    pattern: /exchange full/i,
    permanent: false,
    help: 'A Linux bridge takes at most 1,023 containers: put further instances on another network or host.',
  },
  {
    pattern: /bind source path does not exist/i,
    permanent: true,
    help: 'The engine does not see the volume. When the control plane itself runs in a container, the data root must be mounted at the same path inside and outside.',
  },
  {
    pattern: /br_netfilter|bridge-nf-call|inter-container communication/i,
    permanent: true,
    help: 'The engine cannot keep instances apart: load the kernel module br_netfilter (modprobe br_netfilter).',
  },
]

function inWords(doing: string, error: unknown, socketPath: string, timeoutMs: number): DriverError {
  if (error instanceof DriverError) return error
  const status = statusOf(error)
  if (status === null) return unreachable(doing, error, socketPath, timeoutMs)
  const said = wordsOf(error)
  const trouble = troubles.find(({ pattern }) => pattern.test(said))
  return new DriverError(`could not ${doing}: ${said}${trouble ? ` — ${trouble.help}` : ''}`, {
    // The engine refuses what it does not accept as it stands; anything else may pass.
    permanent: trouble?.permanent ?? status === 400,
    cause: error,
  })
}

function unreachable(doing: string, error: unknown, socketPath: string, timeoutMs: number): DriverError {
  const { code = '', name = '' } = error as { code?: string; name?: string }
  const reasons: Record<string, string> = {
    ENOENT: 'there is no such socket; start Docker, or set DOCKER_HOST to where its socket is',
    ECONNREFUSED: 'nothing listens there; start Docker',
    EACCES: "this user may not use it; add the control plane's user to the group that owns the socket",
    EPERM: "this user may not use it; add the control plane's user to the group that owns the socket",
  }
  const reason =
    name === 'TimeoutError' || name === 'AbortError'
      ? `it gave no answer within ${timeoutMs / 1000} s`
      : (reasons[code] ?? (error as Error).message)
  return new DriverError(
    `could not ${doing}: the Docker engine at ${socketPath} does not answer (${reason})`,
    {
      permanent: false,
      transient: true,
      cause: error,
    },
  )
}
